/** Keeps keys out of messages. */

/** What keys of providers look like, known or not. */
const KEY_LIKE = /\b(?:sk-|AIza)[\w-]{16,}/g;

/** `text` without the secrets; short ones are left, as they would blank out words. Redact before you cut. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 6)
    .reduce((rest, secret) => rest.replaceAll(secret, "[key]"), text)
    .replace(KEY_LIKE, "[key]");
}

/** Most characters of a text that are looked at: enough that what is cut there is not quoted. */
const MAX_READ = 65_536;

/** What a server said, as errors quote it: without secrets, and no longer than a person reads. */
export function quoted(
  text: string,
  secrets: readonly string[],
  { maxLength = 500 }: { readonly maxLength?: number } = {},
): string {
  return redact(text.slice(0, MAX_READ), secrets).slice(0, maxLength);
}
