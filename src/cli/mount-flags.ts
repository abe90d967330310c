/** Flags of `mount`, and those that commands share. */
import * as Flags from '@oclif/core/flags'
import { RECOVERY_MODES } from '../client/recovery-mode.js'
import { AES_BITS_WORDS } from './aes-bits.js'
import { compactionFlags } from './compaction-flags.js'

export const logPathFlag = {
  'log-path': Flags.directory({
    summary: 'directory of chains; a chain lies in DIR/CHAIN (default: atefs in $XDG_DATA_HOME)',
    helpValue: 'DIR',
  }),
}

const DNS_SERVER = {
  aliases: ['dns'],
  summary: 'address of the DNS server to ask (default: those of the system)',
  helpValue: 'IP[:PORT]',
  helpGroup: 'SERVER',
}
const DNS_SEC = { summary: 'take only answers that the DNS server has validated', helpGroup: 'SERVER' }

export const serverFlags = {
  'server-key': Flags.string({
    summary: 'key that the server must have: 64 hexadecimal digits',
    helpValue: 'KEY',
    helpGroup: 'SERVER',
  }),
  'dns-server': Flags.string(DNS_SERVER),
  'dns-sec': Flags.boolean(DNS_SEC),
}

export const passphraseFlags = {
  passfile: Flags.string({ summary: 'read the passphrase from this file', helpValue: 'FILE', helpGroup: 'PASSPHRASE' }),
  passcommand: Flags.string({
    summary: 'run this command with /bin/sh and read the passphrase from its output',
    helpValue: 'CMD',
    helpGroup: 'PASSPHRASE',
  }),
}

export const mountFlags = {
  ...logPathFlag,
  ...passphraseFlags,
  'no-auth': Flags.boolean({
    summary: 'make a chain without passphrase: its key lies beside the log, for whoever can read files there',
    helpGroup: 'PASSPHRASE',
    exclusive: ['passfile', 'passcommand'],
  }),
  remote: Flags.string({
    char: 'r',
    summary: 'mount a chain of this server: this machine has a copy that follows it',
    helpValue: 'URL',
    helpGroup: 'SERVER',
  }),
  'recovery-mode': Flags.option({
    options: RECOVERY_MODES,
    summary: 'what happens while the server is away (default: readonly-async)',
    helpGroup: 'SERVER',
    dependsOn: ['remote'],
  })(),
  'server-key': Flags.string({
    summary: "the server's key, 64 hexadecimal digits (default: the one remembered from the first time)",
    helpValue: 'KEY',
    helpGroup: 'SERVER',
    dependsOn: ['remote'],
  }),
  'dns-server': Flags.string({ ...DNS_SERVER, dependsOn: ['remote'] }),
  'dns-sec': Flags.boolean({ ...DNS_SEC, dependsOn: ['remote'] }),
  'wire-encryption': Flags.option({
    options: AES_BITS_WORDS,
    summary: 'bits of the AES keys of the connection, at least (default: 128)',
    helpGroup: 'SERVER',
    dependsOn: ['remote'],
    exclusive: ['no-wire-encryption'],
  })(),
  'no-wire-encryption': Flags.boolean({
    summary: 'take a connection in clear, if the server does not want another',
    helpGroup: 'SERVER',
    dependsOn: ['remote'],
  }),
  'wire-compression': Flags.boolean({
    summary: 'compress the connection: for slow lines',
    helpGroup: 'SERVER',
    dependsOn: ['remote'],
  }),
  'no-create': Flags.boolean({ summary: 'fail when the chain does not exist' }),
  temp: Flags.boolean({
    summary:
      'mount a new chain that is gone at unmount; its key exists in memory only. With --remote: a copy that is gone, and loads content when it is read',
    exclusive: ['no-create', 'read-only', 'allow-damage', 'accept-rollback'],
  }),
  'key-size': Flags.option({
    options: AES_BITS_WORDS,
    summary: 'AES key size of a new chain in bits (default: 256)',
  })(),
  foreground: Flags.boolean({ char: 'f', summary: 'stay in the foreground; SIGINT and SIGTERM unmount' }),
  option: Flags.string({
    char: 'o',
    summary: 'mount options as of mount(8), separated by commas',
    helpValue: 'OPT[,OPT]',
    multiple: true,
    // Otherwise `-o ro MOUNTPOINT` would take the mountpoint for an option.
    multipleNonGreedy: true,
  }),
  'read-only': Flags.boolean({ summary: 'change nothing; the same as -o ro' }),
  'non-empty': Flags.boolean({ summary: 'mount over a directory that is not empty' }),
  driver: Flags.option({
    options: ['auto', 'direct', 'fuse-native'] as const,
    default: 'auto',
    summary: 'how to talk to the kernel',
  })(),
  ...compactionFlags,
  'compact-now': Flags.boolean({
    summary: 'compact once, as soon as it is mounted',
    helpGroup: 'COMPACTION',
  }),
  'ntp-pool': Flags.string({
    summary: 'time server that is asked now and then how far the clock is off; corrects the times of files',
    helpValue: 'HOST',
    helpGroup: 'TIME',
  }),
  'ntp-port': Flags.integer({
    summary: 'UDP port of the time server (default: 123, of pool.ntp.org)',
    helpValue: 'PORT',
    min: 1,
    max: 65535,
    helpGroup: 'TIME',
  }),
  'no-ntp': Flags.boolean({
    summary: 'ask no time server (the default)',
    exclusive: ['ntp-pool', 'ntp-port'],
    helpGroup: 'TIME',
  }),
  'allow-damage': Flags.boolean({
    summary: 'mount a damaged log read-only; what is damaged gives I/O errors',
    helpGroup: 'DAMAGE',
  }),
  'accept-rollback': Flags.boolean({
    summary: 'take a log that is older than what was known durable (a restored copy)',
    helpGroup: 'DAMAGE',
  }),
}
