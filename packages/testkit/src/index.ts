export { freePort } from './free-port.ts';
export { type Exit, type LineMatch, type LogLine, type ProcessHandle, type ProcessOptions, startProcess } from './process.ts';
export { type Answer, type Received, type Receiver, type Responder, startReceiver } from './receiver.ts';
export { hasRedis, type RedisHandle, type RedisOptions, startRedis } from './redis.ts';
export { type CommandMatch, type RedisProxy, startRedisProxy } from './redis-proxy.ts';
export type { RedisCommand } from './resp.ts';
export { type S3Handle, type S3Outage, type S3Request, startS3 } from './s3.ts';
export { VirtualClock } from './virtual-clock.ts';
export { type WaitOptions, WaitTimeout, waitFor } from './wait-for.ts';
