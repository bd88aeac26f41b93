-- One line on the shared stream, with the state that the transition led to. event {id, seq, type, progress, status, stage, run}; seq is
-- the job's next, which its script writes: the caller's Last-Event-ID.
local function emit(events, event)
  redis.call('XADD', events, 'MAXLEN', '~', '50000', '*', 'j', event.id, 's', event.seq, 't', event.type, 'p', event.progress, 'st', event.status,
    'sg', event.stage, 'r', event.run)
end
