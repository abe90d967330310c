import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../cli/base-command.js'
import { findChain, type ChainLocation } from '../cli/chain-argument.js'
import { logPathFlag, passphraseFlags } from '../cli/mount-flags.js'
import { readPassphrase } from '../cli/passphrase.js'
import { stopHiding } from '../cli/prompt.js'
import type { SlotChange } from '../cli/key-slots.js'
import type { SlotInfo } from '../engine/keyring/keyring.js'

interface Slots {
  chain: string
  slots: Pick<SlotInfo, 'id' | 'label' | 'createdMs'>[]
}

export default class Passwd extends BaseCommand {
  static override summary = 'change the passphrase of a chain, or add, remove and list its key slots'

  static override description = `A chain can have several passphrases, each in a slot. The one in use comes from --passfile, --passcommand, ATEFS_PASSWORD, standard input when it is not a terminal, or a prompt, in this order.

Whoever has a copy of the old keyring and knows its passphrase can still open the chain.`

  static override usage = '<%= command.id %> [CHAIN] [FLAGS]'

  static override args = {
    chain: Args.string({ description: "the chain's name (default: the only one there is)", ignoreStdin: true }),
  }

  static override flags = {
    ...logPathFlag,
    ...passphraseFlags,
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
    const chain = findChain(args.chain, flags['log-path'])
    const { changeSlots, readSlots } = await import('../cli/key-slots.js')
    // Before anything is asked: a chain without passphrases has no slots.
    const before = await readSlots(chain)
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
      const slots = await changeSlots(chain, change)
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

  #report(chain: ChainLocation, slots: readonly SlotInfo[]): Slots {
    for (const { id, label, createdMs } of slots) {
      // The label is whatever somebody wrote into the file: no control characters to the terminal.
      this.log(`${id}  ${new Date(createdMs).toISOString()}  ${label.replace(/\p{Cc}/gu, '?')}`)
    }
    return { chain: chain.name, slots: slots.map(({ id, label, createdMs }) => ({ id, label, createdMs })) }
  }
}
