/** The text of oclif.manifest.json for what lies in dist/commands below `root`. */
export function freshManifest(root: string): Promise<string>
