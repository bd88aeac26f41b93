/**
 * What `work` comes to, if it does so within `ms`; the work itself is not stopped.
 * @throws Error with the text `otherwise` when the time is over.
 */
export async function within<T>(ms: number, otherwise: string, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(otherwise)), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
