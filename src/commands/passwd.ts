import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import { demandNoReplica } from '../adapters/node/demand-no-replica.js'
import { BaseCommand } from '../cli/base-command.js'
import { findChain } from '../cli/chain-argument.js'
import { logPathFlag, passphraseFlags, serverFlags } from '../cli/mount-flags.js'
import { readPassphrase } from '../cli/passphrase.js'
import { stopHiding } from '../cli/prompt.js'
import type { SlotChange } from '../cli/key-slots.js'
import type { ServerFlags } from '../cli/server-chains.js'
import type { SlotInfo } from '../engine/keyring/keyring.js'

/** Where the slots are. */
interface ChainSlots {
  name: string
  read: () => Promise<readonly SlotInfo[]>
  change: (change: SlotChange) => Promise<readonly SlotInfo[]>
}

interface Slots {
  chain: string
  slots: Pick<SlotInfo, 'id' | 'label' | 'createdMs'>[]
}

export default class Passwd extends BaseCommand {
  static override summary = 'change the passphrase of a chain, or add, remove and list its key slots'

  static override description = `A chain can have several passphrases, each in a slot. The one in use comes from --passfile, --passcommand, ATEFS_PASSWORD, standard input when it is not a terminal, or a prompt, in this order.

Of a chain at a server they are changed there, for everybody.

Whoever has a copy of the old keyring and knows its passphrase can still open the chain.`

  static override usage = '<%= command.id %> [CHAIN] [FLAGS]'

  static override args = {
    chain: Args.string({
      description: "the chain's name, or its URL at a server (default: the only one there is)",
      ignoreStdin: true,
    }),
  }

  static override flags = {
    ...logPathFlag,
    ...passphraseFlags,
    ...serverFlags,
    'new-passfile': Flags.string({
      summary: 'read the new passphrase from this file',
      helpValue: 'FILE',
      helpGroup: 'PASSPHRASE',
    }),
    'new-passcommand': Flags.string({
      summary: 'run this command and read the new passphrase from its output',
      helpValue: 'CMD',
      helpGroup: 'PASSPHRASE',
    }),
    add: Flags.boolean({ summary: 'add a slot with another passphrase', exclusive: ['remove', 'list'] }),
    remove: Flags.string({ summary: 'remove the slot with this id', helpValue: 'SLOT', exclusive: ['list'] }),
    list: Flags.boolean({ summary: 'list the slots; needs no passphrase' }),
    label: Flags.string({
      summary: 'what to call the slot; not secret',
      helpValue: 'TEXT',
      exclusive: ['remove', 'list'],
    }),
  }

  async run(): Promise<Slots> {
    const { args, flags } = await this.parse(Passwd)
    const chain = await slotsOf(args.chain, flags)
    // Before anything is asked: a chain without passphrases has no slots.
    const before = await chain.read()
    if (flags.list) return this.#report(chain, before)
    const passphrase = await readPassphrase(flags, {
      prompt: `Passphrase for ${chain.name}`,
      isNew: false,
      // Opening the slot takes a while, in which the new one may be typed already.
      moreFollows: flags.remove === undefined,
    })
    const newSources = { passfile: flags['new-passfile'], passcommand: flags['new-passcommand'] }
    const newPassphrase = (): Promise<Uint8Array> =>
      readPassphrase(newSources, { prompt: `New passphrase for ${chain.name}`, isNew: true })
    const change: SlotChange =
      flags.remove === undefined
        ? { kind: flags.add ? 'add' : 'change', passphrase, newPassphrase, label: flags.label }
        : { kind: 'remove', passphrase, slotId: flags.remove }
    try {
      const slots = await chain.change(change)
      if (change.kind === 'add') this.log(`Added a slot to ${chain.name}`)
      else this.log(`${change.kind === 'remove' ? 'Removed a slot of' : 'Changed the passphrase of'} ${chain.name}`)
      if (change.kind !== 'add')
        this.note('A copy of the old keyring still opens the chain with what is no longer valid here.')
      return this.#report(chain, slots)
    } finally {
      passphrase.fill(0)
      stopHiding()
    }
  }

  #report(chain: ChainSlots, slots: readonly SlotInfo[]): Slots {
    for (const { id, label, createdMs } of slots) {
      // The label is whatever somebody wrote into the file: no control characters to the terminal.
      this.log(`${id}  ${new Date(createdMs).toISOString()}  ${label.replace(/\p{Cc}/gu, '?')}`)
    }
    return { chain: chain.name, slots: slots.map(({ id, label, createdMs }) => ({ id, label, createdMs })) }
  }
}

async function slotsOf(
  chain: string | undefined,
  flags: ServerFlags & { 'log-path'?: string | undefined },
): Promise<ChainSlots> {
  if (chain?.includes('://') === true) {
    const { changeServedSlots, readServedSlots } = await import('../cli/served-key-slots.js')
    return {
      name: chain,
      read: () => readServedSlots(chain, flags),
      change: (change) => changeServedSlots(chain, flags, change),
    }
  }
  const location = findChain(chain, flags['log-path'])
  const { changeSlots, readSlots } = await import('../cli/key-slots.js')
  return {
    name: location.name,
    read: () => readSlots(location),
    change: async (change) => {
      await demandNoReplica(location.directory)
      return await changeSlots(location, change)
    },
  }
}
