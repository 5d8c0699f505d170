/** The version that is presented: Xen 4.17.7. */
export const xenVersion = { major: 4, minor: 17, extra: '.7' } as const;
