/** This machine alone: its addresses, and its names in a Host header. */
import { isIPv4 } from 'node:net';

/** Whether what listens at this address is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (name === 'localhost' || name === '::1') return true;
  const plain = name.replace(/^::ffff:/, '');
  return isIPv4(plain) && plain.startsWith('127.');
}

/**
 * Whether a Host header names this machine. A page of another site that has its own name resolve to
 * 127.0.0.1 (DNS rebinding) sends its own name.
 */
export function namesThisMachine(hostHeader: string | undefined): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]/\s]+)(:\d{1,5})?$/i.exec(hostHeader ?? '');
  return match !== null && isLoopback(match[1]!);
}
