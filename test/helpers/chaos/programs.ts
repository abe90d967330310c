/** Programs that use one chain of a real `atedb` through the library, each a process that may be killed and started again. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type CliWorld, cliWorld } from '../cli.js'
import type { LibraryAnswer, LibraryCall } from './library-worker.js'
import { ChaosServer } from './machines.js'
import { ChaosProxy } from './proxy.js'

const WORKER = fileURLToPath(new URL('library-worker.ts', import.meta.url))

export class Program {
  readonly proxy: ChaosProxy
  readonly #directory: string
  readonly #mode: string
  readonly #waiting = new Map<number, { resolve: (answer: LibraryAnswer) => void; reject: (error: Error) => void }>()
  #child: ChildProcess | undefined
  #calls = 0

  constructor(directory: string, mode: string, proxy: ChaosProxy) {
    this.#directory = directory
    this.#mode = mode
    this.proxy = proxy
  }

  /** Resolves when it has the chain open. */
  async start(): Promise<void> {
    const words = [`ws://127.0.0.1:${this.proxy.port}/db/chaos`, this.#directory, this.#mode]
    const child = fork(WORKER, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child = child
    child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`it ended: ${code ?? signal}`))
      this.#waiting.clear()
    })
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it does not start: ${code}`)))
    await Promise.race([once(child, 'message'), ended])
    ended.catch(() => undefined)
    child.on('message', (message) => {
      const answer = message as LibraryAnswer
      this.#waiting.get(answer.id)?.resolve(answer)
      this.#waiting.delete(answer.id)
    })
  }

  /** Rejects with its code, or when the process ends before. */
  async call(call: LibraryCall): Promise<unknown> {
    const id = ++this.#calls
    const answered = new Promise<LibraryAnswer>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.#child?.send({ id, ...call }, (error) => {
      if (error !== null) this.#waiting.get(id)?.reject(error)
    })
    const { outcome, code } = await answered
    if (code !== undefined) throw new Error(code)
    return outcome
  }

  /** As a machine that loses its power. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child?.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

export interface ProgramTeam {
  readonly world: CliWorld
  readonly server: ChaosServer
  readonly programs: readonly Program[]
}

export async function programsOf(t: Test, modes: readonly string[], flags: readonly string[]): Promise<ProgramTeam> {
  const world = cliWorld(t)
  const server = await ChaosServer.start(t, world, flags)
  const programs: Program[] = []
  t.teardown(async () => {
    for (const program of programs) {
      await program.kill()
      await program.proxy.close()
    }
  })
  for (const [number, mode] of modes.entries()) {
    const program = new Program(world.path(`p${number}`), mode, await ChaosProxy.to(() => server.port))
    programs.push(program)
  }
  // The first makes the chain.
  await programs[0]?.start()
  await Promise.all(programs.slice(1).map((program) => program.start()))
  return { world, server, programs }
}
