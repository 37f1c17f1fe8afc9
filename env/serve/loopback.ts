/** Recognizes loopback addresses, which only this machine can reach. */

/** Checks whether a host is `localhost`, `::1` or an address in 127.0.0.0/8. */
export function isLoopback(address: string): boolean {
  return /^(127(\.\d{1,3}){3}|localhost|::1)$/.test(address);
}
