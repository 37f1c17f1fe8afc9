/** Recognizes loopback addresses, which only this machine can reach. */

/** Checks whether an address is a loopback address. */
export function isLoopback(address: string): boolean {
  return /^(127(\.\d{1,3}){3}|localhost|::1)$/.test(address);
}
