/** Whether what a client believes to have dialled is here. Hosts are not looked at: a server does not know its names. */
import { AteError } from '../engine/error.js'

/** NOT_FOUND for a target with another path. */
export function checkTarget(target: string, path: string): void {
  const at = target.indexOf('/')
  const wanted = at < 0 ? '/' : target.slice(at)
  if (wanted === path) return
  throw new AteError('NOT_FOUND', `This server has ${path}, not ${wanted.slice(0, 100)}.`)
}
