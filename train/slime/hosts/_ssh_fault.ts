/** What ssh complains of, as what to do about it. */

import type { Lost } from "./_piped_shell.ts";

/** Why a command on a host did not end. */
export interface SshFault {
  readonly reason: string;
  readonly hint: string;
  /** Another try may well succeed, and cannot run anything twice. */
  readonly transient: boolean;
}

type Rule = readonly [said: RegExp, reason: string, hint: string, again?: true];

/** In order: the first that fits counts. `HOST` becomes what a person types after `ssh`. */
const RULES: readonly Rule[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    "its host key is not the one that is known",
    "find out why it changed; if it was set up anew, remove the old key by ssh-keygen -R and connect once by hand: ssh HOST",
  ],
  [
    /Host key verification failed|No \S+ host key is known/,
    "its host key is not known here",
    "connect once by hand and compare the fingerprint: ssh HOST",
  ],
  [
    /UNPROTECTED PRIVATE KEY FILE|Load key .*: /,
    "the private key cannot be used",
    "check ssh.identity in hosts.yaml, and that only its owner can read that file (chmod 600)",
  ],
  [
    /Identity file .* not accessible/,
    "there is no such private key",
    "check ssh.identity in hosts.yaml",
  ],
  [
    /Permission denied|Too many authentication failures/,
    "it takes none of the keys that were offered",
    "set ssh.user and ssh.identity in hosts.yaml, or put the key on the host by ssh-copy-id; keys with a passphrase need ssh-agent; try: ssh HOST true",
  ],
  [
    /Could not resolve hostname/,
    "its name does not resolve",
    "check ssh.host in hosts.yaml",
  ],
  [
    /Bad (configuration option|owner or permissions)|keyword .{0,200} extra arguments|missing argument/i,
    "ssh refuses its options",
    "check ssh.options in hosts.yaml and ssh's own config",
  ],
  [
    /Connection refused/,
    "nothing listens on its port of ssh",
    "check that sshd runs there and ssh.port in hosts.yaml",
    true,
  ],
  [
    /timed out|No route to host|Network is unreachable|Host is down/,
    "it cannot be reached",
    "check that it is up, its address, and the firewall between",
    true,
  ],
  [
    /Connection (reset|closed)|kex_exchange_identification|Broken pipe|banner exchange/,
    "the connection broke while it was made",
    "try again; sshd may have too many connections (MaxStartups)",
    true,
  ],
];

/** Reads what ssh said. @param target As a person would type it: `-p 2222 me@gpu1`. */
export function sshFault(lost: Lost, target: string): SshFault {
  if (lost.began) {
    return {
      reason: "the connection was lost before the command ended",
      hint: "what had begun was told to stop there; run it again",
      transient: false,
    };
  }
  const rule = RULES.find(([said]) => said.test(lost.said));
  if (rule) {
    const [, reason, hint, again = false] = rule;
    return { reason, hint: hint.replace("HOST", target), transient: again };
  }
  if (lost.status !== 255) {
    return {
      reason: "it lets in but gives no shell",
      hint: `check the account's shell: ssh ${target} sh -c true`,
      transient: false,
    };
  }
  return {
    reason: "ssh failed",
    hint: `try by hand: ssh ${target} true`,
    transient: false,
  };
}
