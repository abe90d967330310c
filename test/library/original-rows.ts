/**
 * Where what the original's tests asserted, and what they should have, is asserted here. The left side is the row of its
 * table of tests, one of the tests that it lacked, or one of its defects that an attacker can use.
 */
import t from 'tap'
import ts from 'typescript'
import { filesBelow } from '../helpers/source-files.js'

type Twin = readonly [file: string, title: string]

const ORIGINAL = 'library/original.ts'
const KEYS = 'library/original-keys.ts'
const VECTORS = 'contract/crypto-provider.ts'
const MESH = 'five nodes, … trust: plain, 128, 192 and 256 bits; a wrong node redirects'
const ATTACKS = 'engine/dio/malicious.ts'

const ROWS: Readonly<Record<string, readonly Twin[]>> = {
  'trust::test_chain': [
    [ORIGINAL, 'test_chain: two objects, a new version, a deletion; the same after every compaction and opening'],
  ],
  'dio::test_dio': [
    [ORIGINAL, 'test_dio: a protected object with a child is modified, seen, deleted, and right after reopening'],
  ],
  'redo::test_redo_log': [
    [ORIGINAL, 'test_redo_log: what is written while the log is compacted is there, in order, also when reopened'],
  ],
  'compact::test_compact_state_machine': [
    ['engine/chain/compaction-mode.ts', 'a compaction is due by its mode: …'],
    ['library/compaction.ts', 'by itself, when it is due'],
  ],
  'transform::test_encrypter': [
    ['library/crypto.ts', 'what is sealed with a key is opened with it and its context, and with nothing else'],
  ],
  'transform::test_compressor': [
    ['engine/dio/transformers.ts', 'what is compressed takes less, is read back the same, and says how large it is'],
  ],
  'transform::test_crypto': [[VECTORS, 'AES-…-GCM seals and opens …']],
  'service::test_service': [['engine/dio/service.ts', 'a request is answered']],
  'tests/load.rs': [[ORIGINAL, 'load: 100 commits of 100 objects are there when the chain is opened again']],
  'tests/rotate.rs': [
    [
      'engine/dio/segments.ts',
      'rotate: what was stored before a segment was closed and after it is there, at once and when reopened',
    ],
  ],
  'tests/trust-tree.rs persistent, memory': [
    [ORIGINAL, 'trust tree, …: below a protected parent who holds its keys works without the root key'],
  ],
  'crypto::test_secure_random': [
    [KEYS, 'test_secure_random: no two keys are alike, and none is empty'],
    [VECTORS, 'random bytes have the length asked for and never repeat'],
  ],
  'crypto::encrypt_key_seeding': [[KEYS, 'encrypt_key_seeding: the same seed gives the same keys, for ever']],
  'crypto::asym 128, 256': [
    [KEYS, 'sign_asym, signed_protected_data: a signature is its owner’s, and of just this'],
    ['engine/crypto/signature.ts', 'a signature verifies, and has the sizes of its suite'],
  ],
  'crypto::ntru_encapsulate': [
    ['engine/crypto/box.ts', 'the vectors of X-Wing and MLKEM1024-P384 hold'],
    ['engine/crypto/box.ts', 'suite …: a box opens with its seed and context'],
  ],
  'crypto::ntru_encrypt, public_secure_data': [
    ['library/crypto.ts', 'a box is opened by the key that it was sealed for'],
  ],
  'crypto::derived_keys': [
    [KEYS, 'derived_keys: with another key in its place the old one opens nothing that is written after'],
  ],
  'crypto::secure_data, multi_encrypt': [
    [KEYS, 'secure_data, multi_encrypt: who holds one of the keys reads; a third one gets nothing'],
  ],
  'crypto::signed_protected_data': [
    [KEYS, 'sign_asym, signed_protected_data: a signature is its owner’s, and of just this'],
  ],
  'crypto::test_b64': [[KEYS, 'test_b64: fields of bytes beside others come back as they were, and become JSON']],
  'crypto::test_key_hex': [[KEYS, 'test_key_hex: a key is printed with all its digits']],

  'conf::test_config_mocking': [['library/nodes.ts', MESH]],
  'comms::test_server_client_with_tcp': [['library/nodes.ts', 'tcp:// is refused by name']],
  'comms::test_server_client_with_websocket': [
    ['wire/pings.ts', 'a thousand pings over 192 bits to a server whose key is known come back, in order'],
  ],
  'mesh: distributed, centralized; plain, 128, 256; another node': [
    ['library/nodes.ts', MESH],
    ['library/nodes.ts', 'a mount that comes to the wrong node is led to the right one'],
  ],

  'missing: offline write upload': [
    ['client/recovery.ts', 'what a process that was killed had not brought is brought when it starts again'],
    ['client/recovery.ts', 'where others went on meanwhile it is told, and the chain goes on without it'],
  ],
  'missing: server rejection reported': [
    ['server/turns.ts', 'what is brought without the turn, or is none of the chain, is refused and changes nothing'],
  ],
  'missing: listen address': [['commands/atedb.ts', 'it binds what it is told, and nothing else']],
  'missing: crash at every byte of append': [
    ['engine/log/prefix.ts', 'a log that is cut at any byte opens to a prefix of its commits'],
    ['engine/log/crash.ts', 'after a power failure a log holds a prefix with all that was acknowledged'],
    ['engine/log/crash.ts', 'after the process is killed a log holds a prefix with all that was acknowledged'],
  ],
  'missing: crash at every byte of flip': [
    [
      'engine/chain/compaction-crash.ts',
      'after a power failure all that was acknowledged is there, whatever was dropped',
    ],
    [
      'engine/chain/compaction-crash.ts',
      'after the process is killed all that was acknowledged is there, whatever was dropped',
    ],
  ],
  'missing: partial batch': [
    ['engine/dio/crash.ts', 'a crash leaves a prefix of the commits, with all that were waited for'],
    [ATTACKS, 'half a batch: one change that may not be made refuses those that may'],
  ],
  'missing: concurrent map insert': [['engine/dio/conflicts.ts', 'names of a map meet only when they are the same']],
  'missing: lock ownership': [
    ['engine/dio/locks.ts', 'a lease that runs out is another one’s, and the old owner releases nothing'],
  ],
  'missing: late timestamp': [
    [
      'engine/dio/time.ts',
      'a chain that is opened again goes on behind what it holds, though the wall clock was set back',
    ],
    ['engine/dio/time.ts', 'a time of others may lie ahead by the tolerance, and no more'],
    ['engine/dio/receive.ts', 'nor does a batch hide such a time in an object, or set the clock of the chain back'],
  ],
  'missing: re-parent attack': [
    [ATTACKS, 're-parenting: a child of somebody else is moved below an object of one’s own'],
  ],
  'missing: read-key set after children': [
    ['engine/dio/trust.ts', 'attack: what is protected late in a transaction is never stored unprotected'],
  ],
  'missing: backup and restore of a grown log': [
    [
      'library/backup.ts',
      'a backup is made while the chain is in use, the next one copies what is new, and it comes back',
    ],
    ['library/backup.ts', 'an older backup is not put in the place of a newer chain, nor of a forked or another one'],
  ],
  'missing: 4 segments and more in their order': [
    [
      'engine/dio/segments.ts',
      'rotate: what was stored before a segment was closed and after it is there, at once and when reopened',
    ],
  ],
  'missing: zero-byte object': [['engine/dio/dio.ts', 'an object without any bytes of its own is an object']],
  'missing: roots listing': [['engine/dio/dio.ts', 'roots are listed, by type, and deleted all at once']],
  'missing: malformed frames': [
    ['engine/log/tamper.ts', 'a flipped byte in any field of a batch is found'],
    ['fuzz/log.ts', 'no parser of a structure fails in any other way'],
    ['fuzz/wire.ts', 'no parser of a packet fails in any other way'],
    ['fuzz/wire.ts', 'a side that is sent noise ends with a code and leaves no timer'],
    ['wire/frame-attacks.ts', 'a message that is none of the agreed format ends the connection'],
    ['wire/frame-attacks.ts', 'frames that inflate to something else are refused before they take memory'],
  ],

  'defect 2: re-parent authority hijack': [
    [ATTACKS, 're-parenting: a child of somebody else is moved below an object of one’s own'],
    [ATTACKS, 're-parenting: an object of one’s own is moved below somebody else’s'],
  ],
  'defect 3: plaintext written before the read key is set': [
    [ATTACKS, 'plaintext: what a read rule protects is overwritten in clear'],
  ],
  'defect 4: newer replaced by older': [
    [ATTACKS, 'newer by older: a version comes that was not built on the one there is'],
    [ATTACKS, 'newer by older: a whole signed batch is repeated'],
  ],
  'defect 5: batches that are not atomic, and writers who think otherwise': [
    [ATTACKS, 'half a batch: one change that may not be made refuses those that may'],
    ['engine/dio/crash.ts', 'a crash leaves a prefix of the commits, with all that were waited for'],
    [
      'engine/dio/conflicts.ts',
      'of two that change what both have read the second is refused, and nothing of it happens',
    ],
  ],
  'defect 6: nothing synced, no checksums, torn tails': [
    ['engine/log/crash.ts', 'after a power failure a log holds a prefix with all that was acknowledged'],
    ['engine/log/tamper.ts', 'a flipped byte in any field of a batch is found'],
    ['engine/log/tamper.ts', 'in a log that was not closed, damage is told from a torn tail'],
  ],
  'defect 8: order by clocks': [
    [ATTACKS, 'newer by older: the clock of the chain is set back'],
    [ATTACKS, 'runaway: the clock of the chain is set to its end, so that nobody commits any more'],
  ],
  'defect 10: locks that others release, queues that lose or repeat': [
    ['engine/dio/locks.ts', 'a lease that runs out is another one’s, and the old owner releases nothing'],
    ['engine/dio/queue-crash.ts', 'a process that is killed at any step of sending and handling'],
    ['engine/dio/queue-crash.ts', 'a power failure at any step of sending and handling'],
  ],
  'defect 12: time servers that are waited for': [
    ['library/time.ts', 'silent servers hold up neither opening nor commits nor the end'],
  ],
  'defect 13: listing of roots': [['engine/dio/dio.ts', 'roots are listed, by type, and deleted all at once']],
  'defect 14: order of segments': [
    ['engine/log/tamper.ts', 'segments that were swapped, dropped, put back or added are found'],
  ],
  'defect 16: races in maps': [['engine/dio/conflicts.ts', 'names of a map meet only when they are the same']],
  'defect 17: keys are printed': [
    ['engine/dio/trust.ts', 'what prints objects prints no key, and a key can be kept'],
    ['library/crypto.ts', 'keys do not print their secrets'],
  ],
  'defect 19: memory without bounds': [
    ['engine/dio/lazy.ts', 'what is kept of bodies is bounded'],
    ['engine/transaction/in-flight.ts', 'memory for what is under way is bounded'],
    ['engine/dio/event-queue.ts', 'who leaves too many bytes untaken gets them, then LAGGED'],
  ],
  'defect 9: trust anchors from elsewhere': [[ATTACKS, 'trust anchors: the root keys are replaced']],
  'defect 11: tombstone resurrection': [[ATTACKS, 'resurrection: a deleted object comes back']],
  'defect 1: wire keystream reuse, no MAC': [
    ['wire/frame.ts', 'no key seals with a nonce twice, in either direction, over changes of keys'],
  ],
  'defect 7: offline writes never uploaded': [
    ['client/recovery.ts', 'what a process that was killed had not brought is brought when it starts again'],
    ['client/cut-points.ts', 'who brings batches has each of them taken once, wherever his connection ends'],
  ],
  'defect 10: exactly-once queue and lock ownership': [
    [
      'client/processes.ts',
      'each message of a queue takes effect once, whichever producer, consumer or server is killed',
    ],
    ['client/processes.ts', 'a lock has one holder at a time, whoever is killed or cut off'],
  ],
  'defect 15: head-of-line broadcast': [
    ['server/follow.ts', 'one who does not read stalls nobody, costs bounded memory, and misses nothing'],
  ],
  'defect 11: orphans': [
    [ATTACKS, 'orphans: a parent is deleted, and its children are not'],
    [ATTACKS, 'orphans: an object lies below one that is not there'],
  ],
}

/** What the tests of a file are called; what differs within one that is run several times is `…`. */
function titlesOf(path: string, text: string): string[] {
  const titles: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTest(node.expression)) titles.push(...titleOf(node.arguments[0]))
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true))
  return titles
}

/** `t.test`, or a function that makes one; one that is left out (`t.skip`) is none. */
function isTest(callee: ts.Expression): boolean {
  if (ts.isPropertyAccessExpression(callee)) return callee.name.text === 'test'
  return ts.isIdentifier(callee) && ['onEveryChain', 'attack'].includes(callee.text)
}

function titleOf(argument: ts.Expression | undefined): string[] {
  if (argument === undefined) return []
  if (ts.isStringLiteralLike(argument)) return [argument.text]
  if (!ts.isTemplateExpression(argument)) return []
  return [argument.head.text + argument.templateSpans.map(({ literal }) => `…${literal.text}`).join('')]
}

t.test('every row has its twins', (t) => {
  const named = new Set(Object.values(ROWS).flatMap((twins) => twins.map(([file]) => `test/${file}`)))
  const files = filesBelow('test', '.ts').filter(({ path }) => named.has(path))
  const titles = new Map(files.map(({ path, text }) => [path, titlesOf(path, text)]))
  for (const [row, twins] of Object.entries(ROWS)) {
    t.ok(twins.length > 0, row)
    for (const [file, title] of twins) t.ok(titles.get(`test/${file}`)?.includes(title), `${row}: ${file}: ${title}`)
  }
  t.end()
})

t.test('a test that was renamed, left out or is only spoken of is none', (t) => {
  const text = "// t.test('a')\nconst a = 'b'\nt.skip('c', f)\nt.test('d', f)\nawait onEveryChain(`e ${x} f`, f)"
  t.strictSame(titlesOf('x.ts', text), ['d', 'e … f'])
  t.end()
})
