/**
 * Preloaded into a process with `node --import`: each SIGUSR2 sets the clock of its machine, as far as the process can see, on by
 * `CLOCK_SHIFT_MS`, and back.
 */
const RealDate = Date;
const shiftMs = Number(process.env['CLOCK_SHIFT_MS']);
let aheadMs = process.env['CLOCK_STARTS'] === 'shifted' ? shiftMs : 0;
const now = () => RealDate.now() + aheadMs;

process.on('SIGUSR2', () => {
  aheadMs = aheadMs === 0 ? shiftMs : 0;
});

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
