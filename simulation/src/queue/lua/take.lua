return take(tonumber(A.now), A.token, tonumber(A.lockMs), A.limited)
