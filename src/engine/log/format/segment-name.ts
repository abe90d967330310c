/** Names of the files of a log. */
export const MANIFEST_NAME = 'manifest'
/** Reserved space and nothing else, given up when the disk is full and something must still be deleted. */
export const SPARE_NAME = 'spare'
export const MAX_SEGMENT_NUMBER = 0xffff_ffff

export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.seg`
}

/** The number in a segment file's name; undefined for other names. */
export function segmentNumberOf(name: string): number | undefined {
  if (!/^\d{10}\.seg$/.test(name)) return undefined
  const number = Number.parseInt(name, 10)
  return number >= 1 && number <= MAX_SEGMENT_NUMBER ? number : undefined
}
