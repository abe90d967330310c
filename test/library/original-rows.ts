/**
 * Where what the original's tests asserted, and what they should have, is asserted here. The left side is the row of its
 * table of tests (or one of the tests that it lacked); rows that need a network have no twin yet.
 */
import t from 'tap'
import { filesBelow } from '../helpers/source-files.js'

const ROWS: Readonly<Record<string, readonly string[]>> = {
  'trust::test_chain': ['test_chain: '],
  'dio::test_dio': ['test_dio: '],
  'redo::test_redo_log': ['test_redo_log: '],
  'compact::test_compact_state_machine': ['a compaction is due by its mode: '],
  'transform::test_encrypter': ['-GCM seals and opens '],
  'service::test_service': ['a request is answered'],
  'tests/load.rs': ['load: 100 commits of 100 objects'],
  'tests/rotate.rs': ['rotate: '],
  'tests/trust-tree.rs': ['trust tree, '],
  'crypto::test_secure_random': ['test_secure_random: '],
  'crypto::encrypt_key_seeding': ['encrypt_key_seeding: '],
  'crypto::test_asym_crypto': ['sign_asym, '],
  'crypto::ntru_encapsulate, ntru_encrypt': ['a box opens with its seed and context'],
  'crypto::derived_keys': ['derived_keys: '],
  'crypto::public_secure_data, secure_data, multi_encrypt': ['secure_data, multi_encrypt: '],
  'crypto::signed_protected_data': ['sign_asym, signed_protected_data: '],
  'crypto::test_b64': ['test_b64: '],
  'crypto::test_key_hex': ['test_key_hex: '],
  'missing: crash at every byte of append': ['after a power failure a log holds a prefix'],
  'missing: crash at every byte of flip': [
    'after a power failure all that was acknowledged is there, whatever was dropped',
  ],
  'missing: partial batch': ['a crash leaves a prefix of the commits'],
  'missing: concurrent map insert': ['names of a map meet only when they are the same'],
  'missing: lock ownership': ['the old owner releases nothing'],
  'missing: late timestamp': ['goes on behind what it holds', 'a time of others may lie ahead by the tolerance'],
  'missing: re-parent attack': ['attack: an object is not taken over'],
  'missing: read-key set after children': ['attack: what is protected late in a transaction'],
  'missing: >=4 segments order': ['rotate: ', 'order'],
  'missing: backup and restore of a grown log': ['an older backup is not put in the place of a newer chain'],
  'missing: zero-byte object': ['an object without any bytes of its own'],
  'missing: roots listing': ['roots are listed, by type'],
  'missing: malformed frames': ['a flipped byte in any field of a batch is found'],
}

t.test('every row has its twin', (t) => {
  const files = filesBelow('test', '.ts').filter(({ path }) => path !== 'test/library/original-rows.ts')
  for (const [row, names] of Object.entries(ROWS))
    for (const name of names) {
      const file = files.find(({ text }) => text.includes(name))
      t.ok(file, `${row}: ${name} in ${file?.path ?? 'no test'}`)
    }
  t.end()
})
