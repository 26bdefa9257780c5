//! What a cause is called and what to do about it, for one container and one file.

use super::cause::Cause;

/// Title, why and remedy.
pub(crate) struct CauseWords {
    pub title: String,
    pub why: String,
    pub remedy: String,
}

/// A cause that lies in a file. `named` is how the container asks for it, `file` the file that is the reason.
pub(crate) fn of_file(cause: Cause, container: &str, named: &str, file: &str) -> CauseWords {
    let (title, why, remedy): (String, &str, &str) = match cause {
        Cause::CrlfScript => (
            format!("{file} has line endings of Windows"),
            "The carriage return at the end of its first line counts as a part of the interpreter's name, and there is no such \
             program. The engine then says \"no such file or directory\" although the file is there.",
            "Convert the file to LF, write *.sh text eol=lf into .gitattributes so that it stays so, and build the image again.",
        ),
        Cause::BadShebang => (
            format!("{file} has no usable first line"),
            "The kernel starts a script only when #! and the interpreter are its very first bytes. The engine then says \"exec \
             format error\".",
            "Write #!/bin/sh (or the interpreter it is for) as the first line, saved as UTF-8 without a mark.",
        ),
        Cause::MissingInterpreter => (
            format!("{named} needs {file}, which is not in the image"),
            "Its first line names an interpreter that is not installed. The engine then says \"no such file or directory\" although \
             the script itself is there.",
            "Install the interpreter in the image, or name one in the first line that is there.",
        ),
        Cause::MissingLoader => (
            format!("{named} needs the loader {file}, which is not in the image"),
            "The program was built for another C library than the image has: glibc's loader is ld-linux, musl's (Alpine) is ld-musl. \
             The engine then says \"no such file or directory\" although the program itself is there.",
            "Take the build of the program for this distribution, link it statically, or take an image with that C library.",
        ),
        Cause::EmptyExecutable => (
            format!("{file} is empty"),
            "A file without content is no program.",
            "Look at the COPY or RUN line that makes it: a download or a build stage that failed silently leaves an empty file.",
        ),
        Cause::TruncatedExecutable => (
            format!("{file} is cut off"),
            "It is shorter than it says of itself: a download or a copy broke off.",
            "Fetch or build it again, and let the build fail when it fails: curl -f, set -e, a checksum.",
        ),
        Cause::NotAProgram => (
            format!("{file} is no program"),
            "Its content is not something that the kernel can start.",
            "Look at the line of the Dockerfile that brings it: unpack an archive first, start a class with java, fail on a failed \
             download (curl -f).",
        ),
        Cause::HostBinary => (
            format!("{file} is a program for another system"),
            "It was built for macOS or Windows and copied into a Linux image.",
            "Build it for Linux inside the image or in a build stage, and keep the host's build folder out with .dockerignore.",
        ),
        Cause::NotExecutable => (
            format!("{file} may not be executed"),
            "Its permissions do not let the container's user execute it.",
            "COPY --chmod=755 in the Dockerfile, or chmod +x before the build; git update-index --chmod=+x keeps it in git.",
        ),
        Cause::NoexecMount => (
            format!("{file} lies on a mount where nothing may be executed"),
            "The mount is set to noexec.",
            "Put the program elsewhere, or mount with the option exec.",
        ),
        Cause::CommandNotFound => (
            format!("There is no {named} in the container"),
            "The command that it starts is not there.",
            "Check ENTRYPOINT and CMD, whether a COPY line brings the file, and whether a mount hides it. A command with arguments \
             must be a list of words.",
        ),
        Cause::IsDirectory => (
            format!("{file} is a folder"),
            "A folder cannot be started.",
            "Name the program itself in ENTRYPOINT or CMD.",
        ),
        Cause::LinkLoop => (
            format!("{file} is a link that leads back to itself"),
            "Following it never ends.",
            "Make the link anew in the Dockerfile.",
        ),
        _ => (format!("{container} does not start {named}"), "", ""),
    };
    CauseWords { title, why: why.to_owned(), remedy: remedy.to_owned() }
}
