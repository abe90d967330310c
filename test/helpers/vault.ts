/**
 * A chain with a passphrase, its mountpoint and a home of its own in one temporary directory, used as any user uses them:
 * through bin/run.js and through programs that run as that user. The test process itself never touches the mount, which
 * need not even be allowed to it.
 *
 * With ATEFS_TEST_PLAIN set, the mountpoint is a plain directory: shows that a scenario is right before atefs is.
 */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawnSync } from 'node:child_process'
import { type Test } from 'tap'
import { directoryOf, remoteAddress } from '../../src/cli/remote-address.js'
import { openInstallation } from './installation.js'
import { run, start, type ProgramOptions, type ProgramResult } from './program.js'
import { serveChains } from './serve-chains.js'
import { ordinaryUser, userToTest, usersToTest, type User } from './user.js'
import type { ChildProcess } from 'node:child_process'

const PASSPHRASE = 'correct horse battery staple'
const isPlain = process.env['ATEFS_TEST_PLAIN'] !== undefined
/** A daemon that has unmounted ends by itself within this time. */
const END_LIMIT_MS = 10_000

export type RunOptions = Partial<Pick<ProgramOptions, 'directory' | 'input' | 'timeoutMs' | 'environment'>>

export interface VaultOptions {
  /** Where chains lie: in the vault's own directory unless given. */
  logPath?: string
  hasPassphrase?: boolean
  /** URL of a server that keeps the chain. */
  server?: string
  /** Of each mount. */
  flags?: readonly string[]
}

export class Vault {
  readonly mountpoint: string
  /** Where programs run unless told otherwise: the mountpoint, or a directory below it. */
  directory: string
  /** Where the chain lies on the disk. */
  readonly chain: string
  readonly passfile: string
  readonly environment: Record<string, string>
  readonly hasPassphrase: boolean
  readonly #flags: readonly string[]
  #daemon: number | undefined

  private constructor(
    readonly t: Test,
    readonly user: User,
    /** Everything of this vault lies below it; owned by the user. */
    readonly base: string,
    readonly logPath: string,
    { hasPassphrase = false, server, flags = [] }: VaultOptions,
  ) {
    this.mountpoint = join(base, 'mnt')
    this.directory = this.mountpoint
    this.chain = directoryOf(logPath, 'mnt', remoteAddress(server, this.mountpoint, undefined))
    this.passfile = join(base, 'passphrase')
    this.hasPassphrase = hasPassphrase
    this.#flags = server === undefined ? flags : ['--remote', server, ...flags]
    this.environment = environmentIn(base)
  }

  /** The directories of a vault, not mounted. */
  static create(t: Test, user: User, options: VaultOptions = {}): Vault {
    const base = mkdtempSync(join(tmpdir(), 'atefs-vault-'))
    const vault = new Vault(t, user, base, options.logPath ?? join(base, 'log'), options)
    for (const folder of ['home', 'tmp', 'run']) mkdirSync(join(base, folder), { mode: 0o700 })
    writeFileSync(vault.passfile, `${PASSPHRASE}\n`)
    for (const path of ['', 'home', 'tmp', 'run', 'passphrase']) chownSync(join(base, path), user.uid, user.gid)
    chmodSync(base, 0o755)
    if (isPlain) {
      mkdirSync(vault.mountpoint)
      chownSync(vault.mountpoint, user.uid, user.gid)
    }
    t.teardown(() => vault.remove())
    return vault
  }

  get daemon(): number {
    if (this.#daemon === undefined) throw new Error('not mounted')
    return this.#daemon
  }

  /** Runs `atefs` to its end, however it ends. */
  atefs(args: readonly string[], options: RunOptions = {}): Promise<ProgramResult> {
    const { node, root } = openInstallation()
    return this.attempt(node, [join(root, 'bin/run.js'), ...args], { directory: this.base, ...options })
  }

  /** `atefs mount`, however it ends. Deriving a key takes longer than most tests: only some have a passphrase. */
  async tryMount(...flags: string[]): Promise<ProgramResult> {
    const words = ['mount', this.mountpoint, '--log-path', this.logPath, '--json', ...this.#flags, ...flags]
    if (!flags.includes('--passfile'))
      words.push(...(this.hasPassphrase ? ['--passfile', this.passfile] : ['--no-auth']))
    const result = await this.atefs(words)
    if (result.code === 0) this.#daemon = Number((JSON.parse(result.stdout.toString()) as { pid: unknown }).pid)
    return result
  }

  async mount(...flags: string[]): Promise<void> {
    if (isPlain) return
    const result = await this.tryMount(...flags)
    this.#expectSuccess('atefs mount', result)
  }

  /** Unmounts and sees that neither the mount nor its process stays. */
  async unmount(): Promise<void> {
    if (isPlain) return
    const { daemon } = this
    this.#expectSuccess('atefs umount', await this.atefs(['umount', this.mountpoint]))
    this.#daemon = undefined
    await this.#expectEnd(daemon)
  }

  async remount(...flags: string[]): Promise<void> {
    await this.unmount()
    await this.mount(...flags)
  }

  /** SIGKILL to the daemon, and the dead mountpoint that it leaves. */
  async crash(): Promise<void> {
    if (isPlain) return
    const { daemon } = this
    this.#daemon = undefined
    process.kill(daemon, 'SIGKILL')
    await this.#expectEnd(daemon, true)
  }

  /** Runs a program on the mount as the user, however it ends. */
  attempt(program: string, args: readonly string[], options: RunOptions = {}): Promise<ProgramResult> {
    const { environment, ...rest } = options
    return run(program, args, { directory: this.directory, ...rest, ...this.#identity(environment) })
  }

  /** Starts a program on the mount as the user. The caller waits for its end or kills its group. */
  start(program: string, args: readonly string[], options: RunOptions = {}): ChildProcess {
    const { environment, ...rest } = options
    return start(program, args, { directory: this.directory, ...rest, ...this.#identity(environment) })
  }

  #identity(environment: Record<string, string> = {}): Pick<ProgramOptions, 'user' | 'environment'> {
    return { user: this.user, environment: { ...this.environment, ...environment } }
  }

  /** Runs a program on the mount as the user; it must succeed. Returns what it printed. */
  async run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const result = await this.attempt(program, args, options)
    this.#expectSuccess(`${program} ${args.join(' ')}`, result)
    return result.stdout.toString('utf8')
  }

  /** A line of shell, on the mount, as the user; it must succeed. */
  shell(line: string, options: RunOptions = {}): Promise<string> {
    return this.run('/bin/sh', ['-euc', line], options)
  }

  #expectSuccess(what: string, { code, stderr, stdout, timedOut }: ProgramResult): void {
    if (code === 0) return
    const how = timedOut ? 'did not end in time' : `ended with ${code ?? 'a signal'}`
    throw new Error(`${what.slice(0, 300)} ${how}: ${stderr.slice(-2000)}${stdout.toString().slice(-1000)}`)
  }

  async #expectEnd(pid: number, isCrash = false): Promise<void> {
    const limit = Date.now() + END_LIMIT_MS
    while (isRunning(pid)) {
      if (Date.now() > limit) throw new Error(`process ${pid} still runs`)
      await sleep(10)
    }
    if (!isCrash && this.isMounted()) throw new Error(`${this.mountpoint} is still mounted`)
  }

  isMounted(): boolean {
    return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${this.mountpoint} `)
  }

  /** Leaves nothing behind, whatever state a failed test left it in. */
  async remove(): Promise<void> {
    if (!isPlain && this.isMounted()) await this.atefs(['umount', this.mountpoint], { timeoutMs: 20_000 })
    if (this.#daemon !== undefined && isRunning(this.#daemon)) process.kill(this.#daemon, 'SIGKILL')
    while (this.isMounted() && spawnSync('umount', ['-l', this.mountpoint]).status === 0);
    if (this.isMounted()) spawnSync('fusermount3', ['-u', '-z', this.mountpoint])
    if (this.isMounted()) throw new Error(`${this.mountpoint} cannot be unmounted`)
    rmSync(this.base, { recursive: true, force: true })
  }
}

/** True while the process runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

function environmentIn(base: string): Record<string, string> {
  const testRun = process.env['ATEFS_TEST_RUN']
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    HOME: join(base, 'home'),
    TMPDIR: join(base, 'tmp'),
    XDG_RUNTIME_DIR: join(base, 'run'),
    NODE_OPTIONS: `--import=${join(openInstallation().root, 'test/helpers/cheap-passphrases.js')}`,
    ...(testRun === undefined ? {} : { ATEFS_TEST_RUN: testRun }),
  }
}

type Body = (t: Test, vault: Vault) => Promise<void>

/** One subtest for each user to test as, on a fresh mount that must unmount cleanly afterwards. */
export function onEachMount(t: Test, title: string, body: Body, options: VaultOptions = {}): void {
  onMounts(t, usersToTest(), title, body, options)
}

/** For what is dear and asks nothing of who the user is: as the ordinary one, in a long run as each. */
export function onOrdinaryMount(t: Test, title: string, body: Body): void {
  onMounts(t, userToTest(), title, body, {})
}

function onMounts(t: Test, users: readonly User[], title: string, body: Body, options: VaultOptions): void {
  for (const user of users) {
    t.test(`${title}, as ${user.title}`, (t) => onMount(t, Vault.create(t, user, options), body))
  }
}

/** As the ordinary user, of a chain that a server of its own keeps. */
export function onServedMount(t: Test, title: string, flags: readonly string[], body: Body): void {
  t.test(`${title}, on a mount with ${flags.join(' ')}`, async (t) => {
    const server = await serveChains(t)
    await onMount(t, Vault.create(t, ordinaryUser(), { server, flags }), body)
  })
}

async function onMount(t: Test, vault: Vault, body: Body): Promise<void> {
  await vault.mount()
  await body(t, vault)
  await vault.unmount()
}

/** For each user one mount, and on it one subtest after the other, each in a directory of its own. */
export function onOneMount(t: Test, bodies: Record<string, Body>, users: readonly User[] = usersToTest()): void {
  const onIt: Body = async (t, vault) => {
    let count = 0
    for (const [title, body] of Object.entries(bodies)) {
      vault.directory = vault.mountpoint
      const name = `test${++count}`
      await vault.run('mkdir', [name])
      vault.directory = join(vault.mountpoint, name)
      await t.test(title, (t) => body(t, vault))
    }
  }
  onMounts(t, users, 'one mount', onIt, {})
}
