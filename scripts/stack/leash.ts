// Loaded by `--import` into each process that a script starts: when the parent is gone, even by SIGKILL, the channel to
// it closes and the process ends as by SIGTERM, so nothing is left behind.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
