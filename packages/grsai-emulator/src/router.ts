import type { Steering } from './routes/admin.ts';
import { admin } from './routes/admin.ts';
import { chat } from './routes/chat.ts';
import { draw, drawResult } from './routes/draw.ts';
import { file } from './routes/file.ts';
import { generate } from './routes/generate.ts';
import { generations } from './routes/generations.ts';
import { modelList, noSession } from './routes/model-list.ts';
import { result } from './routes/result.ts';
import { accountCredits, creditsByQuery, keyCredits, modelStatus, uploadTicket } from './routes/side.ts';
import type { Route, Router } from './server.ts';

const ROUTES: Readonly<Record<string, Route>> = {
  'POST /v1/api/generate': { kind: 'image', handler: generate },
  'GET /v1/api/result': { kind: 'result', handler: result },
  'POST /v1/chat/completions': { kind: 'chat', handler: chat },
  'POST /v1/images/generations': { kind: 'generations', handler: generations },
  'POST /v1/draw/nano-banana': { kind: 'draw', handler: draw(/^nano-banana/) },
  'POST /v1/draw/completions': { kind: 'draw', handler: draw(/^(gpt-image|sora-image)/) },
  'POST /v1/draw/flux': { kind: 'draw', handler: draw(/^flux/) },
  'POST /v1/draw/result': { kind: 'draw-result', handler: drawResult },
  'POST /client/openapi/getAPIKeyCredits': { kind: 'credits', handler: keyCredits },
  'POST /client/openapi/getCredits': { kind: 'credits', handler: accountCredits },
  'GET /client/common/getCredits': { kind: 'credits', handler: creditsByQuery },
  'GET /client/common/getModelStatus': { kind: 'model-status', handler: modelStatus },
  'POST /client/serverGrsai/getModelList': { kind: 'model-list', handler: modelList(1) },
  'POST /client/serverGrsai/getModelListV2': { kind: 'model-list', handler: modelList(2) },
  'POST /client/resource/newUploadTokenZH': { kind: 'upload', handler: uploadTicket },
};

const NO_SESSION: Route = { kind: 'other', handler: noSession };
const FILE: Route = { kind: 'file', handler: file };

/** The endpoints of the service and, under `/_emulator/`, those that steer it. */
export function createRouter(steering: Steering): Router {
  const steer: Route = { kind: 'other', handler: (x) => admin(x, steering) };
  return (method, path) => {
    if (path.startsWith('/_emulator/')) return steer;
    if (path.startsWith('/file/') && (method === 'GET' || method === 'HEAD')) return FILE;
    const name = `${method} ${path}`;
    if (Object.hasOwn(ROUTES, name)) return ROUTES[name];
    return path.startsWith('/client/') ? NO_SESSION : undefined;
  };
}
