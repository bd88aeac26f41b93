import { expect, test } from 'vitest';
import { isJson, isJsonLines } from './content-type.ts';

test.each([
  'application/json',
  'Application/JSON',
  'application/json; charset=UTF8',
  'application/json;charset=utf-8;',
  ' application/json ;',
])('when a body comes as %j then it is JSON', (type) => {
  expect([isJson(type), isJsonLines(type)]).toEqual([true, false]);
});

test.each([
  'application/x-ndjson',
  'APPLICATION/X-NDJSON; charset=utf-8',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonl;charset=utf8',
  'application/jsonlines',
])('when a body comes as %j then it is lines of JSON', (type) => {
  expect([isJson(type), isJsonLines(type)]).toEqual([false, true]);
});

test.each([undefined, '', 'json', 'text/json', 'text/plain', 'application/jsonp', 'application/json+x', 'multipart/form-data'])(
  'when a body comes as %j then it is neither',
  (type) => {
    expect([isJson(type), isJsonLines(type)]).toEqual([false, false]);
  },
);
