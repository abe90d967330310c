/**
 * One who follows a chain: gets every batch behind his point, in order, once. Who reads closely is served from memory, who
 * lags from the log, as fast as he reads; nobody waits for anybody else.
 */
import type { ReceivedBatch } from '../engine/log/index.js'
import type { Peer, SentContent, SignedHead } from '../sync/index.js'
import type { Reader, ReaderMemory } from './reader-memory.js'
import { type BatchToSend, heldBytes, type RecentBatches, toSend } from './recent-batches.js'

/** What is followed. */
export interface Followed {
  readonly recent: RecentBatches
  /** The last batch that is durable. */
  readonly durableSequence: number
  /** Up to this waits for a connection before more is only sent when it takes what is there. */
  readonly eagerBytes: number
  readonly readers: ReaderMemory
  read(from: number, to: number, content: SentContent): AsyncGenerator<ReceivedBatch>
  noteSent(bytes: number): void
}

export interface FollowerOptions {
  readonly chain: Followed
  readonly peer: Peer
  readonly channel: number
  /** The last batch that he has. */
  readonly from: number
  readonly content: SentContent
  /** The log cannot be read for him. */
  readonly onFailure: (error: unknown) => void
}

export class Follower {
  readonly #options: FollowerOptions
  readonly #reader: Reader
  #cursor: number
  #isCatchingUp = false
  #hasEnded = false
  #head: SignedHead | undefined
  #waiting: { sequence: number; resolve: () => void }[] = []

  constructor(options: FollowerOptions) {
    this.#options = options
    this.#reader = options.chain.readers.reader(options.peer)
    this.#cursor = options.from
  }

  /** To be called when there is something new. */
  wake(): void {
    if (this.#isCatchingUp || this.#hasEnded) return
    try {
      this.#sendEagerly()
      this.#tell()
    } catch (error) {
      this.#fail(error)
      return
    }
    if (this.#cursor >= this.#options.chain.durableSequence) return
    this.#isCatchingUp = true
    void this.#catchUp()
  }

  /** He has made it himself. */
  noteOwn(sequence: number): void {
    if (sequence === this.#cursor + 1) this.#cursor = sequence
  }

  /** Is told behind the batches it speaks of; a later one takes the place of one that waits. */
  offer(head: SignedHead): void {
    this.#head = head
    this.wake()
  }

  /** Resolves when everything up to there was sent, or he is gone. */
  reached(sequence: number): Promise<void> {
    if (this.#hasEnded || this.#cursor >= sequence) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ sequence, resolve }))
  }

  end(): void {
    this.#hasEnded = true
    this.#options.chain.readers.end(this.#reader)
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  /** What is in memory, as long as he takes it. */
  #sendEagerly(): void {
    const { chain, peer, content } = this.#options
    while (this.#cursor < chain.durableSequence && peer.unsentBytes < chain.eagerBytes) {
      const batch = chain.recent.get(this.#cursor + 1)
      if (batch === undefined || batch[content].bytes > chain.eagerBytes) return
      for (const part of batch[content].parts) this.#push(part)
      this.#sent(batch)
    }
  }

  async #catchUp(): Promise<void> {
    const { chain } = this.#options
    try {
      while (this.#cursor < chain.durableSequence && !this.#hasEnded) {
        const recent = chain.recent.get(this.#cursor + 1)
        if (recent !== undefined) await this.#sendRecent(recent)
        else await this.#sendHistory(chain.durableSequence)
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#isCatchingUp = false
    this.wake()
  }

  async #sendRecent(batch: BatchToSend): Promise<void> {
    const { chain, content } = this.#options
    if (batch[content].bytes > chain.eagerBytes) await chain.readers.lend(this.#reader, heldBytes(batch))
    await this.#sendSlowly(batch)
  }

  async #sendHistory(to: number): Promise<void> {
    const { chain, content } = this.#options
    await this.#room()
    const batches = chain.read(this.#cursor + 1, to, content)
    const readNext = async (): Promise<{ batch: BatchToSend; bytes: number } | undefined> => {
      const next = await batches.next()
      if (next.done === true) return undefined
      const batch = toSend(next.value)
      return { batch, bytes: heldBytes(batch) }
    }
    try {
      while (!this.#hasEnded && chain.recent.get(this.#cursor + 1) === undefined) {
        const read = await chain.readers.read(this.#reader, readNext)
        if (read === undefined) return
        await this.#sendSlowly(read.batch)
      }
    } finally {
      await batches.return(undefined)
    }
  }

  /** Nothing of it is held here when it resolves, and no more than a little waits for him. */
  async #sendSlowly(batch: BatchToSend): Promise<void> {
    const { chain, content } = this.#options
    for (const part of batch[content].parts) {
      await this.#room()
      if (this.#hasEnded) return
      this.#push(part)
      chain.readers.noteProgress(this.#reader)
    }
    this.#sent(batch)
    this.#tell()
    await this.#room()
    chain.readers.giveBack(this.#reader)
  }

  async #room(): Promise<void> {
    const { peer, chain } = this.#options
    // Several channels of a connection may be told at once that there is room: each looks again.
    while (peer.unsentBytes >= chain.eagerBytes && !this.#hasEnded) await peer.ready(chain.eagerBytes - 1)
  }

  #push(part: BatchToSend['all']['parts'][number]): void {
    const { peer, channel } = this.#options
    peer.pushShared(channel, part)
  }

  #sent(batch: BatchToSend): void {
    const { chain, content } = this.#options
    this.#cursor = batch.sequence
    chain.noteSent(batch[content].bytes)
  }

  /** Tells what waited for the batches up to here. */
  #tell(): void {
    if (this.#hasEnded) return
    const head = this.#head
    if (head !== undefined && head.sequence <= this.#cursor) {
      this.#head = undefined
      this.#options.peer.push(this.#options.channel, 'head', head)
    }
    const reached = this.#waiting.filter(({ sequence }) => sequence <= this.#cursor)
    if (reached.length === 0) return
    this.#waiting = this.#waiting.filter(({ sequence }) => sequence > this.#cursor)
    for (const { resolve } of reached) resolve()
  }

  #fail(error: unknown): void {
    if (this.#hasEnded) return
    this.end()
    this.#options.onFailure(error)
  }
}
