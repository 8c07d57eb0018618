"""Object files put into memory without a compiler: what starts a program whose kernels lie in the cache.

LLVM's library takes a tenth of a second and 60 MB to load. The kernels of this house are ELF files of x86-64
that refer to their own constants and to two functions of the C library; that much is linked here.
"""

import ctypes
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass

_ALLOCATED, _RELOCATIONS, _SYMBOLS, _NO_BITS = 2, 4, 2, 8
_RELATIVE = (2, 4)
"""R_X86_64_PC32 and R_X86_64_PLT32: both are the distance from the place to the symbol, in four bytes."""

_JUMP = b"\xff\x25\x00\x00\x00\x00"
"""jmp to the address in the eight bytes that follow."""

_READ_AND_EXECUTE = 1 | 4


@dataclass(frozen=True)
class _Section:
    name_at: int
    kind: int
    flags: int
    begin: int
    size: int
    link: int
    applies_to: int
    alignment: int


class Code:
    """Executable memory that holds functions; `addresses` has where each begins."""

    def __init__(self, objects: Mapping[str, bytes]):
        """Places every object, which defines the function of its name.

        Raises ValueError for what this linker does not know and OSError where memory cannot be executed.
        """
        parsed = [_Object(name, content) for name, content in objects.items()]
        size = sum(each.size for each in parsed)
        self._memory = mmap.mmap(-1, max(size, mmap.PAGESIZE))
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self.addresses: dict[str, int] = {}
        offset = 0
        for each in parsed:
            self.addresses[each.name] = each.place(self._memory, base, offset)
            offset += each.size
        _make_executable(base, len(self._memory))


class _Object:
    def __init__(self, name: str, content: bytes):
        self.name, self._content = name, content
        if content[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", content, 18)[0] != 62:
            raise ValueError(f"{name} is no ELF file of x86-64")
        (begin,) = struct.unpack_from("<Q", content, 40)
        (count,) = struct.unpack_from("<H", content, 60)
        self._sections = [_section(content, begin + 64 * index) for index in range(count)]
        self._places: dict[int, int] = {}
        size = 0
        for index, section in enumerate(self._sections):
            if section.flags & _ALLOCATED:
                size += -size % max(section.alignment, 1)
                self._places[index] = size
                size += section.size
        self._stubs_at = size + -size % 16
        self._stubs: dict[str, int] = {}
        relocations = sum(s.size // 24 for s in self._sections if s.kind == _RELOCATIONS)
        self.size = (self._stubs_at + 16 * relocations + 63) & ~63

    def place(self, memory: mmap.mmap, base: int, offset: int) -> int:
        """Copies and links the sections; the address of the function."""
        for index, place in self._places.items():
            section = self._sections[index]
            if section.kind != _NO_BITS:
                content = self._content[section.begin : section.begin + section.size]
                memory[offset + place : offset + place + section.size] = content
        for section in self._sections:
            if section.kind == _RELOCATIONS and section.applies_to in self._places:
                self._relocate(section, memory, base, offset)
        for section in self._sections:
            if section.kind == _SYMBOLS:
                for number in range(section.size // 24):
                    name, address = self._symbol(section, number, memory, base, offset)
                    if name == self.name and address:
                        return address
        raise ValueError(f"the object file does not define {self.name}")

    def _relocate(self, section: _Section, memory: mmap.mmap, base: int, offset: int) -> None:
        start = offset + self._places[section.applies_to]
        for number in range(section.size // 24):
            where, info, addend = struct.unpack_from("<QQq", self._content, section.begin + 24 * number)
            if info & 0xFFFFFFFF not in _RELATIVE:
                raise ValueError(f"{self.name} has a relocation of kind {info & 0xFFFFFFFF}")
            symbols = self._sections[section.link]
            name, address = self._symbol(symbols, info >> 32, memory, base, offset)
            address = address or self._stub(name, memory, base, offset)
            struct.pack_into("<i", memory, start + where, address + addend - (base + start + where))

    def _symbol(
        self, symbols: _Section, number: int, memory: mmap.mmap, base: int, offset: int
    ) -> tuple[str, int]:
        """A symbol's name and address, 0 where it lies elsewhere."""
        name_at, _, _, where, value, _ = struct.unpack_from(
            "<IBBHQQ", self._content, symbols.begin + 24 * number
        )
        begin = self._sections[symbols.link].begin + name_at
        name = self._content[begin : self._content.index(b"\0", begin)].decode()
        return name, base + offset + self._places[where] + value if where in self._places else 0

    def _stub(self, name: str, memory: mmap.mmap, base: int, offset: int) -> int:
        """A jump to a function of this process, near enough for four bytes."""
        if name not in self._stubs:
            try:
                target = ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p).value
            except AttributeError as error:
                raise ValueError(f"{self.name} calls {name}, which this process has not") from error
            place = self._stubs_at + 16 * len(self._stubs)
            memory[offset + place : offset + place + 14] = _JUMP + struct.pack("<Q", target)
            self._stubs[name] = place
        return base + offset + self._stubs[name]


def _section(content: bytes, at: int) -> _Section:
    name_at, kind, flags, _, begin, size, link, info, alignment, _ = struct.unpack_from(
        "<IIQQQQIIQQ", content, at
    )
    return _Section(name_at, kind, flags, begin, size, link, info, alignment)


def _make_executable(address: int, size: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    length = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    if library.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(length), _READ_AND_EXECUTE):
        raise OSError(ctypes.get_errno(), "memory cannot be made executable")
