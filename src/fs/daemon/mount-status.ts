/** What a daemon tells about its mount: the answer to `status`. Field names are what `atefs status --json` prints. */
import { booleanField, numberField, optionalNumber, optionalText, textField, type JsonObject } from './json-fields.js'

export interface MountStatus {
  pid: number
  /** 'unmounting': the mountpoint is gone and what is left is being made durable. */
  state: 'mounted' | 'unmounting'
  mountpoint: string
  driver: string
  chain: string
  /** The chain's directory. */
  directory: string
  readOnly: boolean
  temporary: boolean
  mountedAtMs: number
  chainId: string
  suite: string
  keyBits: number
  logBytes: number
  indexBytes: number
  headSequence: number
  headDigest: string
  durableSequence: number
  durableAtMs?: number | undefined
  /** Changed, and not yet handed to the log. */
  dirtyBytes: number
  /** Handed to the log, and not yet on the medium. */
  inFlightBytes: number
  /** Of a chain that a server keeps: its address, what happens while the server is away, and how it stands. */
  server?: string | undefined
  recoveryMode?: string | undefined
  connected?: boolean | undefined
  /** Changes can be made without asking the server. */
  hasTurn?: boolean | undefined
  /** Batches that are in the log here, and not at the server yet. */
  unsentBatches?: number | undefined
  /** Why there is no connection, or why it is no use to try. */
  serverProblem?: string | undefined
  /** The log cannot be written any more: why. */
  failure?: string | undefined
}

/** Fails with BAD_FORMAT. */
export function readMountStatus(from: JsonObject): MountStatus {
  return {
    pid: numberField(from, 'pid'),
    state: textField(from, 'state') === 'unmounting' ? 'unmounting' : 'mounted',
    mountpoint: textField(from, 'mountpoint'),
    driver: textField(from, 'driver'),
    chain: textField(from, 'chain'),
    directory: textField(from, 'directory'),
    readOnly: booleanField(from, 'readOnly'),
    temporary: booleanField(from, 'temporary'),
    mountedAtMs: numberField(from, 'mountedAtMs'),
    chainId: textField(from, 'chainId'),
    suite: textField(from, 'suite'),
    keyBits: numberField(from, 'keyBits'),
    logBytes: numberField(from, 'logBytes'),
    indexBytes: numberField(from, 'indexBytes'),
    headSequence: numberField(from, 'headSequence'),
    headDigest: textField(from, 'headDigest'),
    durableSequence: numberField(from, 'durableSequence'),
    durableAtMs: optionalNumber(from, 'durableAtMs'),
    dirtyBytes: numberField(from, 'dirtyBytes'),
    inFlightBytes: numberField(from, 'inFlightBytes'),
    server: optionalText(from, 'server'),
    recoveryMode: optionalText(from, 'recoveryMode'),
    connected: from['connected'] === undefined ? undefined : booleanField(from, 'connected'),
    hasTurn: from['hasTurn'] === undefined ? undefined : booleanField(from, 'hasTurn'),
    unsentBatches: optionalNumber(from, 'unsentBatches'),
    serverProblem: optionalText(from, 'serverProblem'),
    failure: optionalText(from, 'failure'),
  }
}
