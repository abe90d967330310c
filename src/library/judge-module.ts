/** What judges the batches of distributed trust: the worker that reads the log loads it too. */
export const JUDGE_MODULE = new URL('../engine/dio/judging/judge-batch.js', import.meta.url).href
