import { PeSubsystem } from '../../../firmware-tables/image/pe.js';
import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { LoadedImageProtocol, loadedImageRevision } from '../../../firmware-tables/uefi/protocols/loaded-image.js';
import { Status, statusName } from '../../../firmware-tables/uefi/status.js';
import { FirmwareError } from '../errors.js';
import { imageEntry } from '../log/firmware-event.js';
import { structureOf } from '../../memory/provided.js';
import type { Firmware } from '../firmware.js';
import { byteCount } from '../guest-access.js';
import { imagePieces, placeImage, type ImagePiece } from '../images/image-loader.js';
import { keptRegisters, type RunningImage } from '../images/images.js';
import { service } from '../service.js';

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

const isImage = (fw: Firmware, handle: bigint): boolean => handle === fw.imageHandle || fw.images.loaded.has(handle);

/**
 * EFI_BOOT_SERVICES.LoadImage(), from memory: there are no file systems, so that a device path alone finds nothing.
 * Applications and boot service drivers; what the PE reader refuses is EFI_UNSUPPORTED, as in EDK II. UEFI 2.10 section 7.4.1.
 */
const LoadImage = service(
  {
    BootPolicy: 'boolean',
    ParentImageHandle: 'handle',
    DevicePath: 'devicePath',
    SourceBuffer: 'pointer',
    SourceSize: 'uintn',
    ImageHandle: 'pointer',
  },
  (fw, { ParentImageHandle, SourceBuffer, SourceSize, ImageHandle }, show) => {
    if (ImageHandle === 0n || !isImage(fw, ParentImageHandle)) return Status.INVALID_PARAMETER;
    if (SourceBuffer === 0n) return Status.NOT_FOUND;
    fw.guest.requireWritable(ImageHandle, 8);
    const file = fw.guest.read(SourceBuffer, byteCount(SourceSize, SourceBuffer));
    const image = fw.host.readPe?.(file);
    const application = image?.subsystem === PeSubsystem.efiApplication;
    if (!image || (!application && image.subsystem !== PeSubsystem.efiBootServiceDriver)) return Status.UNSUPPORTED;
    let base: number;
    let pieces: readonly ImagePiece[];
    try {
      base = placeImage(fw.memoryMap, image);
    } catch (error) {
      if (error instanceof FirmwareError) return Status.OUT_OF_RESOURCES;
      throw error;
    }
    try {
      pieces = imagePieces(image, file, base);
    } catch (error) {
      if (error instanceof FirmwareError) return Status.LOAD_ERROR;
      throw error;
    }
    const pages = Math.ceil(image.sizeOfImage / pageBytes);
    const types = application
      ? { ImageCodeType: MemoryType.EfiLoaderCode, ImageDataType: MemoryType.EfiLoaderData }
      : { ImageCodeType: MemoryType.EfiBootServicesCode, ImageDataType: MemoryType.EfiBootServicesData };
    fw.memoryMap.set(base, pages, types.ImageCodeType, false);
    const handle = fw.pool.allocate(MemoryType.EfiBootServicesData, 16);
    const protocol = fw.pool.allocate(MemoryType.EfiBootServicesData, LoadedImageProtocol.size);
    if (handle === undefined || protocol === undefined) {
      if (handle !== undefined) fw.pool.free(handle);
      fw.memoryMap.set(base, pages, MemoryType.EfiConventionalMemory, false);
      return Status.OUT_OF_RESOURCES;
    }
    for (const { rva, bytes } of pieces) fw.host.memory.writePhysical(base + rva, bytes);
    const values = {
      Revision: loadedImageRevision,
      ParentHandle: ParentImageHandle,
      SystemTable: fw.tables.addresses.systemTable,
      ImageBase: base,
      ImageSize: image.sizeOfImage,
      ...types,
    };
    fw.host.memory.writePhysical(protocol, LoadedImageProtocol.encode(values));
    fw.provided.add(structureOf('firmware', LoadedImageProtocol.name, protocol, [LoadedImageProtocol]));
    fw.handles.install(BigInt(handle), Guid.EFI_LOADED_IMAGE_PROTOCOL, BigInt(protocol));
    const entryPoint = base + image.entryPoint;
    fw.images.loaded.set(BigInt(handle), { base, pages, entryPoint, protocol, application, started: false });
    fw.guest.writeU64(ImageHandle, BigInt(handle));
    show('ImageHandle', hex(handle));
    show('ImageBase', hex(base));
    return Status.SUCCESS;
  },
);

/** Takes an image that LoadImage brought out of memory and off the handle database. */
function unload(fw: Firmware, handle: bigint): void {
  const image = fw.images.loaded.get(handle);
  if (!image) return;
  fw.images.loaded.delete(handle);
  fw.handles.uninstall(handle, Guid.EFI_LOADED_IMAGE_PROTOCOL);
  fw.provided.end(image.protocol, 'freed');
  fw.pool.free(image.protocol);
  fw.pool.free(Number(handle));
  fw.memoryMap.set(image.base, image.pages, MemoryType.EfiConventionalMemory, false);
}

/** Bytes between the frame of StartImage's caller and the image's: the caller's home space lies above its return address. */
const gapBytes = 0x100n;

/**
 * EFI_BOOT_SERVICES.StartImage(): the gate's RET goes to the image's entry point, whose return address is a gate that
 * ends the image. UEFI 2.10 sections 7.4.2 and 2.3.4.
 */
const StartImage = service(
  { ImageHandle: 'handle', ExitDataSize: 'pointer', ExitData: 'pointer' },
  (fw, { ImageHandle, ExitDataSize, ExitData }, show) => {
    const image = fw.images.loaded.get(ImageHandle);
    if (!image || image.started) return Status.INVALID_PARAMETER;
    for (const pointer of [ExitDataSize, ExitData]) if (pointer !== 0n) fw.guest.requireWritable(pointer, 8);
    const kept = Object.fromEntries(keptRegisters.map((name) => [name, fw.host.getRegister(name)]));
    const registers = kept as RunningImage['registers'];
    const frame = (registers.rsp - gapBytes) & ~15n;
    fw.guest.writeU64(frame - 8n, fw.imageReturn);
    fw.guest.writeU64(frame - 16n, BigInt(image.entryPoint));
    fw.images.loaded.set(ImageHandle, { ...image, started: true });
    fw.images.running.push({ handle: ImageHandle, registers, exitDataSize: ExitDataSize, exitData: ExitData });
    const bytes = image.pages * pageBytes;
    fw.note(imageEntry(fw.host.now(), ImageHandle, { base: image.base, bytes, entryPoint: image.entryPoint }));
    show('StartImage', 'returns when the image ends');
    fw.resume({ rsp: frame - 16n, rcx: ImageHandle, rdx: BigInt(fw.tables.addresses.systemTable) });
    return Status.SUCCESS;
  },
);

/**
 * Ends the innermost started image: StartImage returns its status. Exit data goes into a pool buffer that the caller of
 * StartImage frees. False when there is no memory for it.
 */
export function endImage(fw: Firmware, status: bigint, data: Uint8Array): boolean {
  const ended = fw.images.running.at(-1);
  if (!ended) return true;
  if (ended.exitDataSize !== 0n && ended.exitData !== 0n) {
    const buffer = data.length > 0 ? fw.pool.allocate(MemoryType.EfiBootServicesData, data.length) : 0;
    if (buffer === undefined) return false;
    fw.host.memory.writePhysical(buffer, data);
    fw.guest.writeU64(ended.exitDataSize, BigInt(data.length));
    fw.guest.writeU64(ended.exitData, BigInt(buffer));
  }
  fw.images.running.pop();
  if (fw.images.loaded.get(ended.handle)?.application !== false || status !== Status.SUCCESS) unload(fw, ended.handle);
  fw.resume({ ...ended.registers, rax: status });
  return true;
}

/** EFI_BOOT_SERVICES.UnloadImage(): images that were never started; none has an unload function here. UEFI 2.10 section 7.4.3. */
const UnloadImage = service({ ImageHandle: 'handle' }, (fw, { ImageHandle }) => {
  if (!isImage(fw, ImageHandle)) return Status.INVALID_PARAMETER;
  if (fw.images.loaded.get(ImageHandle)?.started !== false) return Status.UNSUPPORTED;
  unload(fw, ImageHandle);
  return Status.SUCCESS;
});

/** The characters in front of the first NUL, or all. */
function leadingString(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = '';
  for (let at = 0; at + 2 <= bytes.length && view.getUint16(at, true) !== 0; at += 2) {
    text += String.fromCharCode(view.getUint16(at, true));
  }
  return text;
}

/**
 * EFI_BOOT_SERVICES.Exit(): ends the innermost image, or unloads one that was never started. ExitData is a NUL-terminated
 * string and then what the image likes; with EFI_SUCCESS it is ignored. UEFI 2.10 section 7.4.5.
 */
const Exit = service(
  { ImageHandle: 'handle', ExitStatus: 'status', ExitDataSize: 'uintn', ExitData: 'pointer' },
  (fw, { ImageHandle, ExitStatus, ExitDataSize, ExitData }, show) => {
    if (!isImage(fw, ImageHandle)) return Status.INVALID_PARAMETER;
    if (fw.images.loaded.get(ImageHandle)?.started === false) {
      unload(fw, ImageHandle);
      return Status.SUCCESS;
    }
    const innermost = fw.images.running.at(-1);
    if (ImageHandle !== (innermost?.handle ?? fw.imageHandle)) return Status.INVALID_PARAMETER;
    const given = ExitStatus !== Status.SUCCESS && ExitData !== 0n && ExitDataSize !== 0n;
    const data = given ? fw.guest.read(ExitData, byteCount(ExitDataSize, ExitData)) : new Uint8Array(0);
    if (given) show('ExitData', JSON.stringify(leadingString(data)));
    if (innermost) show('StartImage', `returns ${statusName(ExitStatus)}`);
    if (innermost) return endImage(fw, ExitStatus, data) ? Status.SUCCESS : Status.OUT_OF_RESOURCES;
    fw.host.exit(ExitStatus, given ? leadingString(data) : undefined);
    return Status.SUCCESS;
  },
);

/** EFI_BOOT_SERVICES.ExitBootServices(). As in EDK II the key alone decides. UEFI 2.10 section 7.4.6. */
const ExitBootServices = service({ ImageHandle: 'handle', MapKey: 'uintn' }, (fw, { MapKey }) => {
  if (MapKey !== BigInt(fw.memoryMap.key)) return Status.INVALID_PARAMETER; // the map changed since it was read
  if (fw.events.tellExit()) return fw.repeatCall(); // the map may be another one behind their notification functions
  fw.leaveBootServices();
  return Status.SUCCESS;
});

/** Image services. UEFI 2.10 section 7.4. */
export const imageServices = { Exit, ExitBootServices, LoadImage, StartImage, UnloadImage };
