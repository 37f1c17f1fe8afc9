/**
 * Keeps keys out of messages.
 *
 * @module
 */

/** `text` without the secrets; short ones are left, as they would blank out words. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 6)
    .reduce((rest, secret) => rest.replaceAll(secret, "[key]"), text)
    .replace(/\b(sk|AIza|or)-?[\w-]{16,}/g, "[key]");
}
