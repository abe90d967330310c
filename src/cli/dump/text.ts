/** What `atefs dump` shows to people: one line each, indented as the tree is. */
import type { DumpedBatch } from './batches.js'
import type { FileLine } from './file-tree.js'
import type { DumpedObject, ObjectLine } from './object-tree.js'

/** Names and types are what programs made them: nothing of them moves the cursor. */
function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
}

function time(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? '?' : date.toISOString()
}

const indent = (depth: number): string => '  '.repeat(depth)
const short = (id: string): string => id.slice(0, 8)

export function objectText(line: ObjectLine): string {
  const { depth, key, link } = line
  const place = `${indent(depth)}${link === undefined ? '' : `${printable(link)}: `}`
  if ('broken' in line) return `${place}${key}  BROKEN: ${line.broken}`
  const { name, type, version, bytes, updatedMs, sealed, labels, transformers, references } = line
  const parts = [
    `${place}${name === undefined ? '' : `${JSON.stringify(printable(name))} `}${printable(type)} ${key}`,
    `version ${version}`,
    `${bytes} bytes`,
    time(updatedMs),
    ...rules(line),
    ...(sealed ? ['sealed'] : []),
    ...transformers.map((id) => printable(id)),
    ...Object.entries(labels).map(([label, value]) => printable(`${label}=${value}`)),
    ...Object.entries(references).map(([to, targets]) => printable(`${to} -> ${targets.join(', ')}`)),
  ]
  return parts.join('  ')
}

function rules({ read, write }: DumpedObject): string[] {
  const told: string[] = []
  if (typeof read === 'object') told.push(`read by ${read.readKeys.map(short).join(', ') || 'nobody'}`)
  else if (read !== 'inherit') told.push(`read by ${read}`)
  if (typeof write === 'object') told.push(`written by ${write.writeKeys.map(short).join(', ') || 'nobody'}`)
  else if (write !== 'inherit') told.push(`written by ${write}`)
  return told
}

export function fileText(line: FileLine): string {
  const { depth, name, inode } = line
  if ('broken' in line) return `${indent(depth)}${name}  BROKEN: ${line.broken} (inode ${inode})`
  const { type, mode, uid, gid, size, links, modifiedMs, target, attributes, bodies } = line
  const mark = type === 'directory' && depth > 0 ? '/' : ''
  const leads = target === undefined ? '' : ` -> ${target}`
  const parts = [
    `${indent(depth)}${name}${mark}${leads}`,
    ...(type === 'file' || type === 'directory' ? [] : [type]),
    `${mode} ${uid}:${gid}`,
    ...(type === 'file' ? [`${size} bytes`] : []),
    time(modifiedMs),
    `inode ${inode}`,
    ...(type === 'file' && links > 1 ? [`${links} links`] : []),
    ...(attributes === undefined ? [] : [`${attributes} attributes`]),
    ...(bodies === undefined ? [] : [`in ${bodies.length} ${bodies.length === 1 ? 'body' : 'bodies'}`]),
  ]
  return parts.join('  ')
}

export function batchText(batch: DumpedBatch): string {
  const { sequence, digest, timeMs, signers, records, deletions, bodies, dropped, objects } = batch
  const parts = [
    `batch ${sequence}`,
    time(timeMs),
    short(digest),
    `${records} records`,
    ...(deletions === 0 ? [] : [`${deletions} deletions`]),
    ...(bodies.length === 0 ? [] : [`${bodies.length} bodies`]),
    ...(dropped === 0 ? [] : [`drops ${dropped} bodies`]),
    ...(signers === undefined ? [] : [signedBy(signers)]),
  ]
  const changed = objects.map(
    ({ key, version }) => `  ${key}  ${version === 'deleted' ? version : `version ${version}`}`,
  )
  return [parts.join('  '), ...changed].join('\n')
}

function signedBy(signers: NonNullable<DumpedBatch['signers']>): string {
  if (signers === 'forged') return 'SIGNATURE DOES NOT VERIFY'
  return signers.length === 0 ? 'signed by nobody' : `signed by ${signers.map(short).join(', ')}`
}
