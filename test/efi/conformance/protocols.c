/* Protocol services and the protocols of the linux profile. UEFI 2.10 sections 7.3, 12.4 and 13.2. */
#include "conformance.h"

static const char handle_protocol[] = "7.3.7 HandleProtocol";
static const char locate_protocol[] = "7.3.16 LocateProtocol";
static const char locate_handle[] = "7.3.6 LocateHandle";
static const char locate_path[] = "7.3.8 LocateDevicePath";
static const char load_file[] = "13.2.2 LoadFile2.LoadFile";
static const char output_string[] = "12.4.3 SimpleTextOutput.OutputString";

static const EFI_GUID text_output = {0x387477c2, 0x69c7, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const EFI_GUID device_path = {0x09576e91, 0x6d3f, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const EFI_GUID load_file2 = {0x4006c0c1, 0xfcb3, 0x403e, {0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d}};
/* Random: nobody has it. */
static const EFI_GUID nobody = {0xa2d1c0f7, 0x1b93, 0x4b5e, {0x8a, 0x61, 0x27, 0xee, 0x05, 0x4c, 0x9d, 0x30}};

static void check_handle_protocol(void) {
  struct loaded_image *loaded = (void *)1;
  void *interface = (void *)1;
  check_status(handle_protocol, "when Handle is NULL", call3(BOOT(HandleProtocol), 0, &loaded_image_guid, &interface), EFI_INVALID_PARAMETER);
  check_status(handle_protocol, "when Handle is none", call3(BOOT(HandleProtocol), &map, &loaded_image_guid, &interface), EFI_INVALID_PARAMETER);
  check_status(handle_protocol, "when Protocol is NULL", call3(BOOT(HandleProtocol), image, 0, &interface), EFI_INVALID_PARAMETER);
  check_status(handle_protocol, "when Interface is NULL", call3(BOOT(HandleProtocol), image, &loaded_image_guid, 0), EFI_INVALID_PARAMETER);
  check(handle_protocol, "EFI_INVALID_PARAMETER leaves *Interface as it was", interface == (void *)1);
  check_status(handle_protocol, "for a protocol that the handle lacks", call3(BOOT(HandleProtocol), image, &nobody, &interface), EFI_UNSUPPORTED);
  check(handle_protocol, "EFI_UNSUPPORTED makes *Interface NULL", interface == 0);
  check_status(handle_protocol, "for LoadedImage", call3(BOOT(HandleProtocol), image, &loaded_image_guid, &loaded), EFI_SUCCESS);
  if (loaded == 0 || loaded == (void *)1) return;
  const u8 *here = (const u8 *)(u64)check_handle_protocol;
  check("9.1 LoadedImage", "revision 0x1000, this System Table, this image, its types",
        loaded->Revision == 0x1000 && loaded->SystemTable == systab && here > (u8 *)loaded->ImageBase &&
            here < (u8 *)loaded->ImageBase + loaded->ImageSize && loaded->ImageCodeType == EfiLoaderCode &&
            loaded->ImageDataType == EfiLoaderData);
  interface = 0;
  check_status(handle_protocol, "for ConOut's handle", call3(BOOT(HandleProtocol), systab->ConsoleOutHandle, &text_output, &interface), EFI_SUCCESS);
  check(handle_protocol, "the console's interface is ConOut", interface == systab->ConOut);
}

static void check_locate_handle(void) {
  static EFI_HANDLE handles[1024];
  u64 size = 0;
  check_status(locate_handle, "when BufferSize is NULL", call5(BOOT(LocateHandle), 0, 0, 0, 0, handles), EFI_INVALID_PARAMETER);
  size = 64;
  check_status(locate_handle, "when Buffer is NULL and BufferSize is not 0", call5(BOOT(LocateHandle), 0, 0, 0, &size, 0), EFI_INVALID_PARAMETER);
  size = 0;
  check_status(locate_handle, "for a SearchType behind ByProtocol", call5(BOOT(LocateHandle), 3, 0, 0, &size, handles), EFI_INVALID_PARAMETER);
  check_status(locate_handle, "ByProtocol when Protocol is NULL", call5(BOOT(LocateHandle), 2, 0, 0, &size, handles), EFI_INVALID_PARAMETER);
  check_status(locate_handle, "ByRegisterNotify when SearchKey is NULL", call5(BOOT(LocateHandle), 1, 0, 0, &size, handles), EFI_INVALID_PARAMETER);
  check_status(locate_handle, "ByProtocol for a protocol that nobody has", call5(BOOT(LocateHandle), 2, &nobody, 0, &size, handles), EFI_NOT_FOUND);
  check_status(locate_handle, "AllHandles into a buffer of no bytes", call5(BOOT(LocateHandle), 0, 0, 0, &size, 0), EFI_BUFFER_TOO_SMALL);
  check(locate_handle, "too small a buffer: the size needed is told", size != 0 && size % 8 == 0);
  const u64 needed = size;
  size = needed - 8;
  handles[0] = (void *)1;
  check_status(locate_handle, "AllHandles when one has no room", call5(BOOT(LocateHandle), 0, 0, 0, &size, handles), EFI_BUFFER_TOO_SMALL);
  check(locate_handle, "the size needed is the same", size == needed);
  size = sizeof handles;
  check_status(locate_handle, "AllHandles", call5(BOOT(LocateHandle), 0, 0, 0, &size, handles), EFI_SUCCESS);
  int found = 0;
  for (u64 i = 0; i < size / 8; i++) found += handles[i] == image;
  check(locate_handle, "AllHandles: the size is that of the result, and this image is there once", size == needed && found == 1);
  size = sizeof handles;
  check_status(locate_handle, "ByProtocol", call5(BOOT(LocateHandle), 2, &loaded_image_guid, 0, &size, handles), EFI_SUCCESS);
  found = 0;
  for (u64 i = 0; i < size / 8; i++) found += handles[i] == image;
  check(locate_handle, "ByProtocol: this image is among those with LoadedImage", found == 1);
}

void check_handles(void) {
  void *interface = (void *)1;
  check_handle_protocol();
  check_status(locate_protocol, "when Protocol is NULL", call3(BOOT(LocateProtocol), 0, 0, &interface), EFI_INVALID_PARAMETER);
  check_status(locate_protocol, "when Interface is NULL", call3(BOOT(LocateProtocol), &loaded_image_guid, 0, 0), EFI_INVALID_PARAMETER);
  check_status(locate_protocol, "for a protocol that nobody has", call3(BOOT(LocateProtocol), &nobody, 0, &interface), EFI_NOT_FOUND);
  check(locate_protocol, "EFI_NOT_FOUND makes *Interface NULL", interface == 0);
  check_status(locate_protocol, "for LoadedImage", call3(BOOT(LocateProtocol), &loaded_image_guid, 0, &interface), EFI_SUCCESS);
  check(locate_protocol, "an interface is given", interface != 0);
  check_locate_handle();
}

/* The vendor media path of Linux's initrd, with a file name behind; 10.3. */
struct initrd_path {
  u8 type, subtype;
  u16 length;
  EFI_GUID vendor;
  u8 rest[16];
} __attribute__((packed));

static const struct initrd_path initrd = {
    4, 3, 20, {0x5568e427, 0x68fc, 0x4f3d, {0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68}}, {0x7f, 0xff, 4, 0}};
static const u8 end_node[] = {0x7f, 0xff, 4, 0};

static EFI_STATUS locate(const EFI_GUID *protocol, const void **path, EFI_HANDLE *device) {
  return call3(BOOT(LocateDevicePath), protocol, path, device);
}

void check_paths(void) {
  static const u8 instance_and_end[] = {0x7f, 0x01, 4, 0, 0x7f, 0xff, 4, 0};
  static const u8 file_and_end[] = {4, 4, 8, 0, 'a', 0, 0, 0, 0x7f, 0xff, 4, 0};
  struct initrd_path longer = initrd, other = initrd;
  EFI_HANDLE device = 0;
  const void *path = &initrd;
  const void *null = 0;
  check_status(locate_path, "when Protocol is NULL", locate(0, &path, &device), EFI_INVALID_PARAMETER);
  check_status(locate_path, "when DevicePath is NULL", locate(&load_file2, 0, &device), EFI_INVALID_PARAMETER);
  check_status(locate_path, "when *DevicePath is NULL", locate(&load_file2, &null, &device), EFI_INVALID_PARAMETER);
  check_status(locate_path, "when there is a match and Device is NULL", locate(&load_file2, &path, 0), EFI_INVALID_PARAMETER);
  check_status(locate_path, "for a protocol that nobody has", locate(&nobody, &path, &device), EFI_NOT_FOUND);
  check_status(locate_path, "for a protocol of handles without a device path", locate(&loaded_image_guid, &path, &device), EFI_NOT_FOUND);
  other.vendor = nobody;
  path = &other;
  check_status(locate_path, "for a path that no handle has", locate(&load_file2, &path, &device), EFI_NOT_FOUND);
  check(locate_path, "EFI_NOT_FOUND leaves *DevicePath and *Device as they were", path == &other && device == 0);
  path = end_node;
  check_status(locate_path, "for an empty path", locate(&load_file2, &path, &device), EFI_NOT_FOUND);
  path = &initrd;
  check_status(locate_path, "for the initrd's path", locate(&load_file2, &path, &device), EFI_SUCCESS);
  check(locate_path, "a whole match: *DevicePath is at the end node", path == initrd.rest);
  void *interface = 0;
  check(locate_path, "the device has the protocol", call3(BOOT(HandleProtocol), device, &load_file2, &interface) == EFI_SUCCESS && interface);
  const u8 *its_path = 0;
  call3(BOOT(HandleProtocol), device, &device_path, &its_path);
  check("10.2 DevicePath", "the handle's path is the vendor media node and an end node", its_path && same(its_path, &initrd, 24));
  memcpy(longer.rest, file_and_end, sizeof file_and_end);
  path = &longer;
  check_status(locate_path, "for a longer path", locate(&load_file2, &path, &device), EFI_SUCCESS);
  check(locate_path, "*DevicePath is at the part that is left", path == longer.rest);
  memcpy(longer.rest, instance_and_end, sizeof instance_and_end);
  path = &longer;
  check_status(locate_path, "for a path of several instances", locate(&load_file2, &path, &device), EFI_SUCCESS);
  check(locate_path, "the first instance counts", path == longer.rest);
  if (ours) { /* EDK II follows it into other memory */
    longer.length = 3;
    path = &longer;
    check_status(locate_path, "for a node that is shorter than its header", locate(&load_file2, &path, &device), EFI_INVALID_PARAMETER);
  }
}

void check_initrd(void) {
  static const u8 file[] = {4, 4, 8, 0, 'a', 0, 0, 0, 0x7f, 0xff, 4, 0};
  static const u8 broken[] = {4, 4, 2, 0};
  static u8 buffer[64];
  EFI_HANDLE device = 0;
  const void *path = &initrd;
  u64 *interface = 0, size = 0;
  locate(&load_file2, &path, &device);
  call3(BOOT(HandleProtocol), device, &load_file2, &interface);
  check(load_file, "the initrd is offered", interface != 0);
  if (interface == 0) return;
  check_status(load_file, "when BootPolicy is TRUE", call5(*interface, interface, end_node, 1, &size, 0), EFI_UNSUPPORTED);
  check_status(load_file, "when FilePath is NULL", call5(*interface, interface, 0, 0, &size, 0), EFI_INVALID_PARAMETER);
  check_status(load_file, "when FilePath is no device path", call5(*interface, interface, broken, 0, &size, 0), EFI_INVALID_PARAMETER);
  check_status(load_file, "when BufferSize is NULL", call5(*interface, interface, end_node, 0, 0, 0), EFI_INVALID_PARAMETER);
  check_status(load_file, "for a file below the path", call5(*interface, interface, file, 0, &size, 0), EFI_NOT_FOUND);
  check_status(load_file, "into a buffer of no bytes", call5(*interface, interface, end_node, 0, &size, 0), EFI_BUFFER_TOO_SMALL);
  check(load_file, "too small a buffer: the size needed is told", size == 6);
  size = 100;
  check_status(load_file, "when Buffer is NULL", call5(*interface, interface, end_node, 0, &size, 0), EFI_BUFFER_TOO_SMALL);
  size = 5;
  check_status(load_file, "into a buffer one byte too small", call5(*interface, interface, end_node, 0, &size, buffer), EFI_BUFFER_TOO_SMALL);
  check(load_file, "too small a buffer is left as it was", buffer[0] == 0 && size == 6);
  size = sizeof buffer;
  check_status(load_file, "into a buffer that is large enough", call5(*interface, interface, end_node, 0, &size, buffer), EFI_SUCCESS);
  check(load_file, "the initrd's bytes, their number, and no more", size == 6 && same(buffer, "initrd\0", 7));
}

void check_console(void) {
  u64 output = (u64)systab->ConOut->OutputString;
  check_status(output_string, "for a line", call2(output, systab->ConOut, u"by the firmware\r\n"), EFI_SUCCESS);
  check_status(output_string, "for no text", call2(output, systab->ConOut, u""), EFI_SUCCESS);
  check_status(output_string, "on StdErr", call2(systab->StdErr->OutputString, systab->StdErr, u"on StdErr\r\n"), EFI_SUCCESS);
  if (ours) /* EDK II reads at address 0 */
    check_status(output_string, "when String is NULL", call2(output, systab->ConOut, 0), EFI_INVALID_PARAMETER);
}
