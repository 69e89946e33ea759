import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** What the registries of special-purpose addresses keep from the public internet, and where clouds keep their secrets. */
const notPublic = listOf('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // shared by carriers; Alibaba's metadata among them
  ['127.0.0.0', 8],
  ['168.63.129.16', 32], // Azure's own, reachable from every machine there
  ['169.254.0.0', 16], // link-local; most clouds' metadata
  ['172.16.0.0', 12],
  ['192.0.0.0', 24], // IETF's; Oracle's metadata among them
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
])

const notPublic6 = listOf('ipv6', [
  ['2001::', 23], // IETF's; Teredo among them, which holds an IPv4 address
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4, which holds an IPv4 address
  ['3fff::', 20],
])
const unicast6 = listOf('ipv6', [['2000::', 3]])

/** Whether an address is one of the public internet, and of nothing nearer. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !notPublic.check(address, 'ipv4')
  if (!isIPv6(address) || address.includes('%')) return false
  const groups = groupsOf(address)
  const embedded = embeddedIPv4(groups)
  if (embedded !== undefined) return isPublicAddress(embedded)
  return unicast6.check(address, 'ipv6') && !notPublic6.check(address, 'ipv6') && !isIsatap(groups)
}

/** IPv4-mapped (::ffff:0:0/96) and NAT64 (64:ff9b::/96) lead to the IPv4 address in their end. */
function embeddedIPv4(groups: readonly number[]): string | undefined {
  const start = groups.slice(0, 6).join()
  if (start !== '0,0,0,0,0,65535' && start !== '100,65435,0,0,0,0') return undefined
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 255])
    .join('.')
}

function isIsatap(groups: readonly number[]): boolean {
  return (groups[4] === 0 || groups[4] === 0x200) && groups[5] === 0x5efe
}

/** The eight numbers of an IPv6 address; the parser of URLs writes an IPv4 ending as hexadecimal, too. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const numbers = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const [start, end] = [numbers(head), tail === undefined ? [] : numbers(tail)]
  return [...start, ...Array<number>(8 - start.length - end.length).fill(0), ...end]
}

function listOf(family: 'ipv4' | 'ipv6', nets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, family)
  return list
}
