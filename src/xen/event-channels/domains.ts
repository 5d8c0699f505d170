/** DOMID_SELF. Xen public/xen.h. */
export const domidSelf = 0x7ff0;

/** Domain 0, where the toolstack and the backends are. */
export const controlDomain = 0;
