-- read: whole records, each as it stood at one moment.
-- Answers for each job field, value, …; an empty list where there is no record
local records = {}
for i, job in ipairs(K.jobs) do records[i] = read_job(job) end
return records
