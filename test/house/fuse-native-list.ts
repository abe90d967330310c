import { readFileSync } from 'node:fs'
import t from 'tap'
import { fuseNativeReasons } from '../contract/file-system/fuse-native-reasons.js'

t.test('users are told what the fuse-native driver cannot do', (t) => {
  const page = readFileSync('docs/conformance.md', 'utf8')
  for (const lacking of Object.keys(fuseNativeReasons)) t.match(page, `- **${lacking}**:`)
  t.end()
})
