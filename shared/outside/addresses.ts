/** Which network addresses a preview may be fetched from: public ones, and nothing else. */
import { lookup as systemLookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { PermanentError } from '../errors.ts';

/** An address that a host name stands for. */
export interface Resolved {
  address: string;
  family: number;
}

/** Finds all addresses of a host name. */
export type Resolver = (hostname: string) => Promise<Resolved[]>;

/** The resolver of the operating system: its hosts file and its name servers. */
export const systemResolver: Resolver = (hostname) => systemLookup(hostname, { all: true });

/** Says what an address is that may not be connected to; null: it may. */
export type AddressRule = (address: string) => string | null;

/**
 * Networks that are not for everybody, each with what it is. The first that fits names the reason.
 * Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries, and the addresses where clouds keep
 * their metadata.
 */
const forbidden: readonly [network: string, what: string][] = [
  ['169.254.169.254/32', 'where clouds keep a machine’s credentials'],
  ['168.63.129.16/32', 'where Azure keeps what is about a machine'],
  ['100.100.100.200/32', 'where clouds keep a machine’s credentials'],
  ['0.0.0.0/8', 'this machine'],
  ['10.0.0.0/8', 'a private network'],
  ['100.64.0.0/10', 'a provider’s internal network'],
  ['127.0.0.0/8', 'this machine'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'a private network'],
  ['192.0.0.0/24', 'reserved for protocols'],
  ['192.0.2.0/24', 'for documentation only'],
  ['192.88.99.0/24', 'a relay between IPv6 and IPv4'],
  ['192.168.0.0/16', 'a private network'],
  ['198.18.0.0/15', 'for benchmarks only'],
  ['198.51.100.0/24', 'for documentation only'],
  ['203.0.113.0/24', 'for documentation only'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['fd00:ec2::/32', 'where clouds keep a machine’s credentials'],
  ['::/128', 'this machine'],
  ['::1/128', 'this machine'],
  ['::ffff:0:0/96', 'an IPv4 address in disguise'],
  ['::ffff:0:0:0/96', 'an IPv4 address in disguise'],
  ['::/96', 'an IPv4 address in disguise'],
  ['64:ff9b::/96', 'an IPv4 address in disguise (NAT64)'],
  ['64:ff9b:1::/48', 'an IPv4 address in disguise (NAT64)'],
  ['2002::/16', 'an IPv4 address in disguise (6to4)'],
  ['2001::/32', 'an IPv4 address in disguise (Teredo)'],
  ['2001::/23', 'reserved for protocols'],
  ['2001:db8::/32', 'for documentation only'],
  ['3fff::/20', 'for documentation only'],
  ['fc00::/7', 'a private network'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'a private network (site-local)'],
  ['ff00::/8', 'multicast'],
];

/** Whether an address lies in a network. */
type Network = (address: string) => boolean;

const rules = forbidden.map(([network, what]) => ({ includes: networkOf(network), what }));
/** All that is given out to the public of IPv6; what lies outside is reserved, today or for ever. */
const globalUnicast = networkOf('2000::/3');
const loopback = ['127.0.0.0/8', '::1/128'].map(networkOf);

/** The rule for the outside: public unicast addresses only. */
export const publicOnly: AddressRule = (address) => {
  if (!isPlain(address)) return 'not an address';
  const rule = rules.find(({ includes }) => includes(address));
  if (rule) return `${rule.what}, not a public address`;
  const reserved = isIP(address) === 6 && !globalUnicast(address);
  return reserved ? 'reserved, not a public address' : null;
};

/** The rule for the simulator, which runs on this machine: loopback only. */
export const loopbackOnly: AddressRule = (address) => {
  const local = isPlain(address) && loopback.some((includes) => includes(address));
  return local ? null : 'not on this machine';
};

/**
 * @param hostname for the message: the name that stands for the address, or the address itself
 * @throws PermanentError when the rule forbids the address
 */
export function assertAllowed(address: string, hostname: string, rule: AddressRule): void {
  const what = rule(address);
  if (what === null) return;
  const subject = address === hostname ? `the address ${address}` : `${hostname} leads to ${address}, which`;
  throw new PermanentError(`${subject} is refused: it is ${what}`);
}

/**
 * A `lookup` for sockets that finds all addresses of a name and gives them out only when each of them is
 * allowed. The socket connects to what it is given here and asks nobody a second time, so that names
 * that change their mind between a check and a connection gain nothing.
 */
export function guardedLookup(resolve: Resolver, rule: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname)
      .then((found) => {
        for (const { address } of found) assertAllowed(address, hostname, rule);
        const [first] = found;
        if (!first) throw new Error(`the name ${hostname} stands for no address`);
        return { first, all: found.map(({ address }) => ({ address, family: isIP(address) })) };
      })
      .then(
        ({ first, all }) =>
          options.all ? callback(null, all) : callback(null, first.address, isIP(first.address)),
        (error: NodeJS.ErrnoException) => callback(error, '', 0),
      );
  };
}

/** `BlockList` finds what is no address in no list, which must not let it pass. */
function isPlain(address: string): boolean {
  // A zone ties an address to one interface of this machine.
  return isIP(address) !== 0 && !address.includes('%');
}

/** `BlockList` takes an IPv4 address and its disguise in IPv6 for the same: tell them apart before. */
function networkOf(network: string): Network {
  const [base = '', prefix] = network.split('/');
  const family = isIP(base);
  const name = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(base, Number(prefix), name);
  return (address) => isIP(address) === family && list.check(address, name);
}
