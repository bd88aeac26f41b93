import type { Row } from '../lib/row.ts';
import { addedTime, addedTimeHalf } from './added-time.ts';
import { chatToWebhook } from './chat-to-webhook.ts';
import { durability } from './durability.ts';
import { fairShare } from './fair-share.ts';
import { firstToken } from './first-token.ts';
import { imageLateness } from './image-lateness.ts';
import { inFlight } from './in-flight.ts';
import { killedWorker } from './killed-worker.ts';
import { logLines } from './log-lines.ts';
import { millionQueued } from './million-queued.ts';
import { ndjsonBatch } from './ndjson-batch.ts';
import { peersChat, peersChatMany } from './peers-chat.ts';
import { peersImage } from './peers-image.ts';
import { peersKilled } from './peers-killed.ts';
import { pollPace } from './poll-pace.ts';
import { postJobs } from './post-jobs.ts';
import { queuedMemory } from './queued-memory.ts';
import { scale } from './scale.ts';
import { start } from './start.ts';
import { storeResults } from './store-results.ts';

/** All rows, in the order in which they run. */
export const ROWS: readonly Row[] = [
  postJobs,
  chatToWebhook,
  peersChat,
  peersChatMany,
  peersImage,
  peersKilled,
  ndjsonBatch,
  inFlight,
  pollPace,
  imageLateness,
  storeResults,
  queuedMemory,
  logLines,
  killedWorker,
  addedTime,
  addedTimeHalf,
  firstToken,
  fairShare,
  millionQueued,
  scale,
  durability,
  start,
];
