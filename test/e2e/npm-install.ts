/** npm install of local packages without a network: it extracts, renames and links thousands of small files. */
import t from 'tap'
import { openInstallation } from '../helpers/installation.js'
import { onEachMount, type Vault } from '../helpers/vault.js'

/** Packages of this project that need no other, packed as a registry would serve them. */
const PACKAGES = ['@noble/hashes', 'lru-cache', 'ws']

async function packPackages(vault: Vault): Promise<string[]> {
  const { root } = openInstallation()
  const folders = PACKAGES.map((name) => `${root}/node_modules/${name}`)
  const printed = await npm(vault, vault.environment['TMPDIR'] ?? '', 'pack', '--json', '--ignore-scripts', ...folders)
  const packed = JSON.parse(printed) as { filename: string }[]
  return packed.map(({ filename }) => `${vault.environment['TMPDIR'] ?? ''}/${filename}`)
}

function npm(vault: Vault, directory: string, ...words: string[]): Promise<string> {
  return vault.run('npm', words, { directory, environment: { npm_config_update_notifier: 'false' } })
}

onEachMount(t, 'npm: packages install offline, are found and are removed', async (t, vault) => {
  const project = `${vault.mountpoint}/project`
  const archives = await packPackages(vault)
  await vault.shell(`mkdir project; echo '{"name":"project","version":"1.0.0","type":"module"}' > project/package.json`)
  // The cache lies on the mount as well: npm renames from there into place.
  const onMount = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--cache', `${vault.mountpoint}/cache`]
  await npm(vault, project, 'install', ...onMount, ...archives)
  await vault.remount()
  const program =
    "import { LRUCache } from 'lru-cache'; import 'ws'; import '@noble/hashes/sha2.js'; console.log(new LRUCache({ max: 3 }).max)"
  const { node } = openInstallation()
  t.equal(await vault.run(node, ['--input-type=module', '-e', program], { directory: project }), '3\n')
  t.match(await npm(vault, project, 'ls', '--offline'), /lru-cache@/)
  await npm(vault, project, 'ci', ...onMount)
  await npm(vault, project, 'uninstall', ...onMount, ...PACKAGES)
  t.equal(await vault.shell('find project/node_modules -type f -not -name .package-lock.json | wc -l'), '0\n')
})
