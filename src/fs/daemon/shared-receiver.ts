/**
 * Where batches of others go: into the records alone, until there is a file system on them, and then through it. Between the two
 * nothing is taken in.
 */
import { receivedChanges } from '../../engine/chain/received-changes.js'
import type { RecordView } from '../../engine/chain/record-view.js'
import { AteError } from '../../engine/error.js'
import type { BatchBytes, ReceivedBatch } from '../../engine/log/index.js'

export interface TakeOptions {
  isDurable: boolean
  mayMiss: boolean
}

/** What the file system does with them, and with what the others must have before the turn is theirs. */
export interface SharedFileSystem {
  receive(run: readonly BatchBytes[], options: TakeOptions): Promise<void>
  flush(): Promise<void>
}

const OPTIONS = { isDurable: false, mayMiss: true }

export class SharedReceiver {
  readonly #view: RecordView
  #fileSystem: SharedFileSystem | undefined
  /** The last that was begun; never rejects. */
  #taking: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(view: RecordView) {
    this.#view = view
  }

  receive(run: readonly BatchBytes[]): Promise<void> {
    const taken = this.#taking.then(() => this.#take(run))
    this.#taking = taken.catch(() => undefined)
    return taken
  }

  async flush(): Promise<void> {
    if (this.#fileSystem === undefined) await this.#view.commit({ isDurable: false })
    else await this.#fileSystem.flush()
  }

  /** `open` must not wait for anything that others do. */
  async openOn<T extends SharedFileSystem>(open: () => Promise<T>): Promise<T> {
    const opened = this.#taking.then(open)
    this.#taking = opened.then(
      (fileSystem) => void (this.#fileSystem = fileSystem),
      () => undefined,
    )
    return await opened
  }

  /** Nothing more is taken in. */
  close(): void {
    this.#isClosed = true
  }

  async #take(run: readonly BatchBytes[]): Promise<void> {
    // Never settled: who brings them is being closed as well.
    if (this.#isClosed) return new Promise(() => undefined)
    if (this.#fileSystem === undefined) await takeRecords(this.#view, run, OPTIONS)
    else await this.#fileSystem.receive(run, OPTIONS)
  }
}

/** Takes them in where nobody reads them yet. */
export async function takeRecords(
  view: RecordView,
  run: readonly BatchBytes[],
  options: TakeOptions,
): Promise<ReceivedBatch[]> {
  if (view.verifyRun === undefined || view.receive === undefined)
    throw new AteError('NOT_SUPPORTED', 'This chain takes in nothing from elsewhere.')
  const batches = await view.verifyRun(run, options.mayMiss)
  const changes = batches.flatMap(({ records }) => receivedChanges(records))
  await view.receive(batches, {
    ...options,
    apply: (sink) => {
      for (const change of changes) {
        const { kind, high } = change
        if (!('low' in change)) sink.deleteRange(kind, high, change.from, change.to)
        else if (change.value === null) sink.delete(kind, high, change.low)
        else sink.put(kind, high, change.low, change.value)
      }
    },
  })
  return batches
}
