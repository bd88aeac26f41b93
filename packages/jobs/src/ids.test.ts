import { expect, test } from 'vitest';
import { BATCH_EVENTS, JOB_EVENTS } from './events.ts';
import { dottedEventId, EVENT_ID, eventId, progressEventId, subjectOfEvent } from './ids.ts';

const ULID = '01K9ZV5W3N8Q2R4T6V8X0Z2B4D';
const JOB = { kind: 'job', id: `job_${ULID}` } as const;
const BATCH = { kind: 'batch', id: `batch_${ULID}` } as const;

/** New id, the id of a release before, what both tell of. */
const IDS = [
  ...JOB_EVENTS.map((type) => [eventId(JOB.id, 1, type), `evt_${ULID}_1_${type}`, JOB] as const),
  ...BATCH_EVENTS.map((type) => [eventId(BATCH.id, 23, type), `evt_${ULID}_23_${type}`, BATCH] as const),
  [progressEventId(JOB.id, 4, 42), `evt_${ULID}_4_job.progress_42`, JOB] as const,
];

test.each(IDS)(
  'when an event is named %s, or %s by a release before, then both are read, and only that one has a dot',
  (now, before, subject) => {
    expect(now).not.toContain('.');
    expect(now).toMatch(EVENT_ID);
    expect(before).toMatch(EVENT_ID);
    expect(dottedEventId(now)).toBe(before);
    expect(dottedEventId(before)).toBe(before);
    expect([subjectOfEvent(now), subjectOfEvent(before)]).toEqual([subject, subject]);
  },
);

test.each([
  `evt_${ULID}_1_`,
  `evt_${ULID}_1_user_made`,
  `evt_${ULID}_1_job.x.y`,
  `evt_${ULID}_job_failed`,
  `${ULID}_1_job_failed`,
])('when a text is %s then it is no id of an event', (text) => {
  expect(text).not.toMatch(EVENT_ID);
});
