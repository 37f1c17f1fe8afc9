/** Addresses that only this machine reaches. */

/** Whether other hosts cannot reach an address. */
export function isLoopback(address: string): boolean {
  return /^(127(\.\d{1,3}){3}|localhost|::1)$/.test(address);
}
