/** Flags of `atedb solo`: those of the original's manual, and what came after it. */
import * as Flags from '@oclif/core/flags'
import { AES_BITS_WORDS } from '../aes-bits.js'
import { compactionFlags } from '../compaction-flags.js'

const ADDRESS = 'ADDRESS'
const SECURITY = 'SECURITY'
const SEVERAL = 'SEVERAL SERVERS'
const MESSAGES = 'MESSAGES'

export const soloFlags = {
  listen: Flags.string({
    char: 'l',
    summary: 'IP address to listen on (default: ::, which is all of IPv6 and IPv4)',
    helpValue: 'IP',
    helpGroup: ADDRESS,
  }),
  port: Flags.integer({
    char: 'p',
    summary: 'TCP port to listen on (default: 5000); 0 takes a free one',
    helpValue: 'PORT',
    min: 0,
    max: 65535,
    helpGroup: ADDRESS,
  }),
  url: Flags.string({
    char: 'u',
    summary: 'what clients dial: scheme, port and path (default: ws://localhost:5000/db)',
    helpValue: 'URL',
    helpGroup: ADDRESS,
  }),
  'tls-cert': Flags.string({
    summary: 'serve wss:// with this certificate (PEM)',
    helpValue: 'FILE',
    dependsOn: ['tls-key'],
    helpGroup: ADDRESS,
  }),
  'tls-key': Flags.string({
    summary: 'the key of the certificate (PEM)',
    helpValue: 'FILE',
    dependsOn: ['tls-cert'],
    helpGroup: ADDRESS,
  }),
  trust: Flags.option({
    char: 't',
    options: ['centralized', 'distributed'] as const,
    default: 'centralized',
    summary: 'distributed: every batch is signed, and nobody needs to trust this server',
    helpGroup: SECURITY,
  })(),
  'wire-encryption': Flags.option({
    options: AES_BITS_WORDS,
    summary: 'encrypt connections with at least so many bits (default: 128 when centralized, else off)',
    helpGroup: SECURITY,
  })(),
  'no-wire-encryption': Flags.boolean({
    summary: 'let clients choose whether connections are encrypted',
    exclusive: ['wire-encryption'],
    helpGroup: SECURITY,
  }),
  auth: Flags.string({
    char: 'a',
    summary: 'URL of the authentication server (default: ws://localhost:5001/auth)',
    helpValue: 'URL',
    helpGroup: SECURITY,
  }),
  'no-auth': Flags.boolean({
    summary: 'who comes first makes a chain: no authentication server is asked',
    exclusive: ['auth'],
    helpGroup: SECURITY,
  }),
  'server-key': Flags.string({
    summary: 'file of the identity key (default: LOGS-PATH/~server/identity); made if absent',
    helpValue: 'FILE',
    helpGroup: SECURITY,
  }),
  'nodes-list': Flags.string({
    summary: 'file of all servers that share the chains, one address[:port] in a line',
    helpValue: 'FILE',
    helpGroup: SEVERAL,
  }),
  'node-id': Flags.integer({
    char: 'n',
    summary: 'which of the servers this one is, counted from 0 (default: the one with an address of this machine)',
    helpValue: 'NUMBER',
    min: 0,
    helpGroup: SEVERAL,
  }),
  'dns-server': Flags.string({
    aliases: ['dns'],
    summary: 'address of the DNS server to ask (default: those of the system)',
    helpValue: 'IP',
    helpGroup: SEVERAL,
  }),
  'dns-sec': Flags.boolean({ summary: 'take only answers that the DNS server has validated', helpGroup: SEVERAL }),
  ...compactionFlags,
  'backup-path': Flags.string({
    char: 'b',
    summary: 'keep a copy of every chain in this directory',
    helpValue: 'DIR',
  }),
  verbose: Flags.boolean({ char: 'v', summary: 'tell more; -vv more again, -vvv all', helpGroup: MESSAGES }),
  debug: Flags.boolean({ char: 'd', summary: 'tell what helps to find a fault', helpGroup: MESSAGES }),
  'log-format': Flags.option({
    options: ['text', 'json'] as const,
    summary: 'of messages on standard error (default: text on a terminal, else one JSON object in a line)',
    helpGroup: MESSAGES,
  })(),
}
