import type { Contender } from '../contender.js'
import { atefs, atefsSigned } from './atefs.js'
import { floor, floorWhole } from './floor.js'
import { hypercore } from './hypercore.js'
import { lmdb } from './lmdb.js'

export const CONTENDERS: readonly Contender[] = [atefs, atefsSigned, hypercore, lmdb, floor, floorWhole]

export function contenderOf(name: string): Contender {
  const found = CONTENDERS.find((one) => one.name === name)
  if (found === undefined) throw new Error(`unknown contender ${name}`)
  return found
}
