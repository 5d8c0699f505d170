/** What an unprivileged domain may use: the defaults of xenstored 4.17. There is no limit on the rate of writes. */
export const quotas = {
  /** Nodes that a domain owns. */
  entries: 1000,
  /** Watches; one more is accepted, as xenstored does. */
  watches: 128,
  /** Bytes of a node's record (nodeBytes) must be fewer. */
  entryBytes: 2048,
  /** Transactions at a time; one more is accepted, as xenstored does. */
  transactions: 10,
  /** Permissions of a node. */
  permissions: 5,
  /** Nodes that one transaction looks at. */
  transactionNodes: 1024,
  /** Requests whose replies the guest has not taken yet; further ones stay in the ring. */
  outstanding: 20,
  /** Bytes of all that is kept for a domain; beyond them its ring is not read. */
  memory: 2.5 * 1024 * 1024,
} as const;
