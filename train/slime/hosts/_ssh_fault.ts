/** Turns ssh's error output into a reason and a hint. */

import type { LostCommand } from "./_piped_shell.ts";

/** Why a command on a host did not finish. */
export interface SshFault {
  readonly reason: string;
  readonly hint: string;
  /** Whether the command can be retried: a retry may succeed and cannot run the command twice. */
  readonly transient: boolean;
}

type Rule = readonly [said: RegExp, reason: string, hint: string, again?: true];

/**
 * The rules for ssh's errors. The first rule that matches applies. `HOST` is replaced with the arguments that a user
 * types after `ssh`.
 */
const RULES: readonly Rule[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    "its host key has changed",
    "find out why it changed; if the host was reinstalled, remove the old key with ssh-keygen -R and connect once in a terminal: ssh HOST",
  ],
  [
    /Host key verification failed|No \S+ host key is known/,
    "its host key is unknown",
    "connect once in a terminal and compare the fingerprint: ssh HOST",
  ],
  [
    /UNPROTECTED PRIVATE KEY FILE|Load key .*: /,
    "the private key cannot be used",
    "check ssh.identity in hosts.yaml, and that only its owner can read that file (chmod 600)",
  ],
  [
    /Identity file .* not accessible/,
    "the private key does not exist",
    "check ssh.identity in hosts.yaml",
  ],
  [
    /Permission denied|Too many authentication failures/,
    "it accepts none of the offered keys",
    "set ssh.user and ssh.identity in hosts.yaml, or copy the key to the host with ssh-copy-id; keys with a passphrase need ssh-agent; to test it, run ssh HOST true",
  ],
  [
    /Could not resolve hostname/,
    "its name does not resolve",
    "check ssh.host in hosts.yaml",
  ],
  [
    /Bad (configuration option|owner or permissions)|keyword .{0,200} extra arguments|missing argument/i,
    "ssh rejects its options",
    "check ssh.options in hosts.yaml and ssh's own config",
  ],
  [
    /Connection refused/,
    "nothing listens on its ssh port",
    "check that sshd runs there, and check ssh.port in hosts.yaml",
    true,
  ],
  [
    /timed out|No route to host|Network is unreachable|Host is down/,
    "it cannot be reached",
    "check that the host is up, and check its address and the firewall",
    true,
  ],
  [
    /Connection (reset|closed)|kex_exchange_identification|Broken pipe|banner exchange/,
    "the connection was closed during the handshake",
    "try again; sshd may have too many connections (MaxStartups)",
    true,
  ],
];

/**
 * Explains why ssh lost a command.
 * @param target The arguments with which `ssh` reaches the host, such as `-p 2222 me@gpu1`.
 */
export function sshFault(lost: LostCommand, target: string): SshFault {
  if (lost.began) {
    return {
      reason: "the connection was lost before the command ended",
      hint: "run the command again; the lost one was sent a signal to stop",
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
      reason: "it accepts the login but does not start a shell",
      hint: `check the account's shell: ssh ${target} sh -c true`,
      transient: false,
    };
  }
  return {
    reason: "ssh failed",
    hint: `to see the error, run: ssh ${target} true`,
    transient: false,
  };
}
