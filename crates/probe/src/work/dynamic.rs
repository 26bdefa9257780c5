//! Code that is made while the program runs: written, told to the processor, made executable and run, as the compilers
//! of Java and JavaScript do. An emulator has to translate it anew each time.

use super::Load;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub fn prepare() -> Result<Box<dyn Load>, String> {
    let mut page = page::Page::new()?;
    Ok(super::fallible(move || page.round()))
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn prepare() -> Result<Box<dyn Load>, String> {
    Err("no code is known for this processor".to_owned())
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[allow(unsafe_code)]
mod page {
    use std::ffi::c_void;
    use std::ptr;

    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

    use silidock_probe::size::{FUNCTIONS, REWRITES};

    /// A multiple of every page size in use.
    const LENGTH: usize = 64 * 1024;
    const FUNCTION: usize = 16;
    const CALLS: u32 = 20;

    /// A function that returns this number.
    #[cfg(target_arch = "x86_64")]
    fn function(number: u16) -> [u8; FUNCTION] {
        let [low, high] = number.to_le_bytes();
        // mov eax, number; ret
        [0xb8, low, high, 0, 0, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc]
    }

    /// A function that returns this number.
    #[cfg(target_arch = "aarch64")]
    fn function(number: u16) -> [u8; FUNCTION] {
        let mut code = [0; FUNCTION];
        // mov w0, number; ret
        code[..4].copy_from_slice(&(0x5280_0000_u32 | u32::from(number) << 5).to_le_bytes());
        code[4..8].copy_from_slice(&0xd65f_03c0_u32.to_le_bytes());
        code
    }

    /// Memory of its own, writable or executable, never both.
    pub struct Page(*mut c_void);

    impl Page {
        pub fn new() -> Result<Self, String> {
            let access = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: new memory at an address of the kernel's choice; nothing else is touched.
            let made = unsafe { mmap_anonymous(ptr::null_mut(), LENGTH, access, MapFlags::PRIVATE) };
            made.map(Self).map_err(|error| format!("no memory for code: {error}"))
        }

        pub fn round(&mut self) -> Result<u64, String> {
            let mut sum = 0;
            for round in 0..REWRITES {
                self.protect(MprotectFlags::READ | MprotectFlags::WRITE)?;
                for index in 0..FUNCTIONS {
                    let number = (round as u16) << 8 | index as u16;
                    let code = function(std::hint::black_box(number));
                    // SAFETY: inside of the page (64 times 16 bytes), which is writable now and nobody else's.
                    unsafe { ptr::copy_nonoverlapping(code.as_ptr(), self.at(index), FUNCTION) };
                }
                self.flush();
                self.protect(MprotectFlags::READ | MprotectFlags::EXEC)?;
                for _ in 0..CALLS {
                    for index in 0..FUNCTIONS {
                        // SAFETY: a whole function was written there, flushed and made executable above; it takes
                        // nothing, returns a number in the C way and touches neither memory nor stack.
                        sum += u64::from(unsafe {
                            std::mem::transmute::<*mut u8, extern "C" fn() -> u32>(self.at(index))()
                        });
                    }
                }
            }
            Ok(sum)
        }

        fn at(&self, index: u64) -> *mut u8 {
            self.0.cast::<u8>().wrapping_add(index as usize * FUNCTION)
        }

        fn protect(&mut self, access: MprotectFlags) -> Result<(), String> {
            // SAFETY: the whole of this memory and nothing else; no reference into it exists.
            let changed = unsafe { mprotect(self.0, LENGTH, access) };
            changed.map_err(|error| format!("memory for code cannot be made {access:?}: {error}"))
        }

        /// x86 processors see what was written by themselves.
        #[cfg(target_arch = "x86_64")]
        fn flush(&self) {}

        /// As the ARM manual says: what was written to memory, what was fetched from there, and the pipeline.
        #[cfg(target_arch = "aarch64")]
        fn flush(&self) {
            use std::arch::asm;
            const SHORTEST_LINE: usize = 16;
            let (from, to) = (self.at(0) as usize, self.at(FUNCTIONS) as usize);
            // SAFETY: caches are told of addresses inside of this memory; no value changes.
            unsafe {
                for address in (from..to).step_by(SHORTEST_LINE) {
                    asm!("dc cvau, {}", in(reg) address, options(nostack, preserves_flags));
                }
                asm!("dsb ish", options(nostack, preserves_flags));
                for address in (from..to).step_by(SHORTEST_LINE) {
                    asm!("ic ivau, {}", in(reg) address, options(nostack, preserves_flags));
                }
                asm!("dsb ish", "isb", options(nostack, preserves_flags));
            }
        }
    }

    impl Drop for Page {
        fn drop(&mut self) {
            // SAFETY: mapped by `new` and used by nobody after this. A failure leaves memory that the end frees.
            let _ = unsafe { munmap(self.0, LENGTH) };
        }
    }
}
