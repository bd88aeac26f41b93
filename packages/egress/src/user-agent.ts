/** The firewalls of many receivers refuse a request without one. */
export const USER_AGENT = 'grsai-jobs';
