/** Names of versions that are kept beside others: `report (conflict of HOST 2026-11-21 22.10.03).txt`. */
import type { Name } from '../types.js'

const MAX_NAME_BYTES = 255
/** What comes behind the last dot, when it is no longer than this. */
const MAX_EXTENSION_BYTES = 16
const MAX_HOST_BYTES = 64

/** Who made it and when. Letters that a name cannot have, and all that is not ASCII, become `_`. */
export function conflictLabel(host: string, timeMs: number): string {
  const time = new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '.')
  return `conflict of ${host.replaceAll(/[^ -.0-~]/g, '_').slice(0, MAX_HOST_BYTES)} ${time}`
}

/** The `count`th of such names, from 1. What is too long loses the end of its stem, whole letters of UTF-8. */
export function conflictName(name: Name, label: string, count: number): Name {
  const dot = name.lastIndexOf('.')
  const hasExtension = dot > 0 && name.length - dot <= MAX_EXTENSION_BYTES
  const extension = hasExtension ? name.slice(dot) : ''
  const mark = count === 1 ? ` (${label})` : ` (${label} ${count})`
  const stem = hasExtension ? name.slice(0, dot) : name
  const room = MAX_NAME_BYTES - mark.length - extension.length
  return `${cut(stem, room)}${mark}${extension}` as Name
}

/** One character is one byte here. */
function cut(stem: string, room: number): string {
  if (stem.length <= room) return stem
  let end = room
  while (end > 0 && (stem.charCodeAt(end) & 0xc0) === 0x80) end--
  return stem.slice(0, end)
}
