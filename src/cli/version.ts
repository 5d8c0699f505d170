declare const EFIKIT_VERSION: string | undefined;

/** The version of the package; the build puts it in. */
export const version: string = typeof EFIKIT_VERSION === 'string' ? EFIKIT_VERSION : '0.0.0-source';
