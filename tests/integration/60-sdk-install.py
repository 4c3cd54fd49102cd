#!/usr/bin/env python3
"""What `cmake --install` gives: a tree of its own that others build workers against."""
import os
import re
import shlex
import shutil
import subprocess

import faytest

CC = shlex.split(os.environ.get("CC", "cc"))
CLASS = faytest.HERE / "tools/feat_class.c"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


class Install(faytest.Case):
    def setUp(self):
        super().setUp()
        self.root = self.work / "root"
        subprocess.run(["cmake", "--install", faytest.BUILD, "--prefix", self.root], check=True,
                       stdout=subprocess.DEVNULL)
        self.path = f"{self.root}/bin:{os.environ['PATH']}"
        self.env["PATH"] = self.path

    def find(self, name):
        found = list(self.root.rglob(name))
        self.assertEqual(len(found), 1, f"{name}: {found}")
        return found[0]

    def pkg_config(self, *args):
        at = self.find("faymora-worker.pc").parent
        done = subprocess.run(["pkg-config", *args, "faymora-worker"], check=True,
                              capture_output=True, text=True,
                              env={**os.environ, "PKG_CONFIG_PATH": str(at)})
        return shlex.split(done.stdout)

    def compile(self, *args):
        subprocess.run([*CC, "-D_GNU_SOURCE", *WARNINGS, *faytest.CFLAGS, *args], check=True)

    def run_installed(self, stage):
        self.write("p.yaml", f"faymora: 1\nstages: [{{name: f, {stage}}}]\n")
        done = subprocess.run([self.root / "bin/faymora", "run", "-q", "--keep-order", "p.yaml"],
                              input="a\nmany\nb\n",
                              capture_output=True, text=True, env=self.env, timeout=faytest.LIMIT_S)
        self.assertEqual((done.returncode, done.stdout), (0, "a\n1\n2\n3\nb\n"), done.stderr)

    def test_a_program_against_the_shared_library(self):
        library = self.find("libfaymora-worker.so.0").parent
        self.compile(*self.pkg_config("--cflags"), "-o", "feat", CLASS, *self.pkg_config("--libs"),
                     f"-Wl,-rpath,{library}", "-pthread")
        self.run_installed("run: [./feat], mode: frames")

    def test_a_program_against_the_static_library(self):
        libs = [flag for flag in self.pkg_config("--libs", "--static")
                if flag != "-lfaymora-worker"]
        self.compile(*self.pkg_config("--cflags"), "-o", "feat", CLASS,
                     self.find("libfaymora-worker.a"), *libs, "-pthread")
        needed = subprocess.run(["readelf", "-d", "feat"], check=True, capture_output=True,
                                text=True).stdout
        self.assertNotIn("libfaymora", needed)
        self.run_installed("run: [./feat], mode: frames")

    def test_a_module_needs_the_headers_alone(self):
        self.compile(*self.pkg_config("--cflags"), "-DMODULE", "-shared", "-fPIC", "-o", "feat.so",
                     CLASS)
        self.run_installed("module: ./feat.so")

    def test_headers_in_c_and_cpp(self):
        cxx = shutil.which("clang++" if "clang" in CC[0] else "g++")
        headers = ["faymora.h", *(f"faymora/{p.name}"
                                  for p in (self.root / "include/faymora").iterdir())]
        self.assertGreaterEqual(len(headers), 3)
        for header in headers:
            text = (f"#include <{header}>\n#include <faymora.h>\n#include <{header}>\n"
                    "int main(void) { return 0; }\n")
            for compiler, suffix, standard in (CC, "c", "c11"), ([cxx], "cpp", "c++17"):
                if compiler == [None]:
                    continue
                source = self.write(f"x.{suffix}", text)
                subprocess.run([*compiler, f"-std={standard}", *WARNINGS, f"-I{self.root}/include",
                                "-c", "-o", "x.o",
                                source], check=True)

    def symbols(self, path):
        done = subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True,
                              text=True)
        return {line.split()[-1].split("@")[0] for line in done.stdout.splitlines()
                if line.split()[-2] in "TtDBRVW"}

    def test_symbols(self):
        library = self.find("libfaymora-worker.so.0")
        exported = self.symbols(library)
        self.assertEqual([s for s in exported if not s.startswith("fay_")], [])
        declared = set()
        for header in (self.root / "include").rglob("*.h"):
            text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
            text = re.sub(r"#define.*(?:\\\n.*)*", "", text)
            declared |= set(re.findall(r"FAY_API[^;(]*?\b(fay_\w+)\(", text))
        declared.remove("fay_worker_entry")  # a module's
        self.assertEqual(exported, declared)
        # modules find all of them in their host
        self.assertEqual(declared - self.symbols(self.root / "bin/faymora-worker"), set())

    def dynamic(self, path):
        return subprocess.run(["readelf", "-d", path], check=True, capture_output=True,
                              text=True).stdout

    def test_libraries(self):
        said = self.dynamic(self.find("libfaymora-worker.so.0"))
        self.assertIn("soname: [libfaymora-worker.so.0]", said)
        self.assertNotRegex(said, r"libuv|libssl|libcrypto|libyaml")
        for program in "faymora", "faymora-worker":
            said = self.dynamic(self.root / "bin" / program)
            self.assertNotRegex(said, r"R(UN)?PATH.*(build|work)", program)
        self.assertNotRegex(said, r"libssl|libcrypto")  # user code runs there, and has no keys
        link = self.find("libfaymora-worker.so")
        self.assertTrue(link.is_symlink())
        self.assertTrue(link.resolve().is_file())
        version = self.pkg_config("--modversion")[0]
        self.assertRegex(link.resolve().name, rf"\.so\.{version}$")

    def test_pages_and_completion(self):
        completion = self.find("completions") / "faymora"
        subprocess.run(["bash", "-eu", "-c", f". {completion}; complete -p faymora"], check=True,
                       stdout=subprocess.DEVNULL)
        if shutil.which("scdoc") is None:
            self.skipTest("man pages are made by scdoc")
        for page in ("faymora.1", "faymora-run.1", "faymora-dead.1", "faymora-pipeline.5",
                     "faymora-worker.7"):
            text = self.find(page).read_text()
            self.assertIn(".TH", text)
            self.assertGreater(len(text), 1000)

    def test_it_runs_from_anywhere(self):
        moved = self.work / "moved"
        shutil.move(self.root, moved)
        done = subprocess.run([moved / "bin/faymora", "run", "-q", "--", "cat", "-u", ":::", "a"],
                              capture_output=True,
                              text=True, env={**self.env, "PATH": os.environ["PATH"]},
                              timeout=faytest.LIMIT_S,
                              stdin=subprocess.DEVNULL)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "a\n", ""))


if __name__ == "__main__":
    faytest.main()
