/** What judges the batches of distributed trust, whatever a chain holds: the worker that reads the log loads it too. */
export const JUDGE_MODULE = new URL('judge.js', import.meta.url).href
