-- queued: how many jobs of a tenant are queued.
return queued_of(A.tenant)
