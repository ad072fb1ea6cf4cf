"""A small installation of every kind, as its files tell it."""

from __future__ import annotations

import json

HASH = "0c5b9h6z1k3lq2a4r7x8y9v0w1f2g3d4"
OTHER = "1c5b9h6z1k3lq2a4r7x8y9v0w1f2g3d4"

PACMAN_DESC = """%NAME%
bash

%VERSION%
5.2.026-2

%BASE%
bash

%ARCH%
x86_64

%REASON%
1

%LICENSE%
GPL-3.0-or-later

%DEPENDS%
libreadline.so=8-64
glibc>=2.38
bash

%PROVIDES%
sh
"""

SYSTEMS = {
    "var/lib/pacman/local/bash-5.2.026-2/desc": PACMAN_DESC,
    "var/lib/pacman/local/bash-5.2.026-2/files": "%FILES%\nusr/\nusr/bin/\nusr/bin/bash\n\n%BACKUP%\netc/bash.bashrc\tabc\n",
    "var/lib/pacman/local/readline-8.2-1/desc": "%NAME%\nreadline\n\n%VERSION%\n8.2-1\n\n%PROVIDES%\nlibreadline.so=8-64\n",
    "var/lib/pacman/local/cut-1/desc": "%NAME%\n",
    "usr/lib/opkg/status": """Package: busybox
Version: 1.36.1-1
Depends: libc, libgcc1
Status: install user installed
Architecture: x86_64
Essential: yes

Package: libc
Version: 1.2.4-4
Status: install ok installed
Architecture: x86_64
Auto-Installed: yes

Package: gone
Version: 1
Status: deinstall ok not-installed
""",
    "usr/lib/opkg/info/busybox.list": "/bin/busybox\n/bin/sh\n",
    "var/db/pkg/app-shells/bash-5.2_p21-r2/CONTENTS": (
        "dir /bin\nobj /bin/bash d41d8cd98f00b204e9800998ecf8427e 1700000000\nsym /bin/sh -> bash 1700000000\n"
        "obj /etc/a b c d41d8cd98f00b204e9800998ecf8427e 1\n"
    ),
    "var/db/pkg/app-shells/bash-5.2_p21-r2/RDEPEND": ">=sys-libs/readline-8.1:0= nls? ( virtual/libintl ) !!app-shells/bash-old",
    "var/db/pkg/app-shells/bash-5.2_p21-r2/LICENSE": "GPL-3+\n",
    "var/db/pkg/sys-libs/readline-8.2/CONTENTS": "obj /usr/lib/libreadline.so d41d8cd98f00b204e9800998ecf8427e 1\n",
    "var/db/pkg/sys-libs/unversioned/CONTENTS": "",
    "var/lib/portage/world": "app-shells/bash\n",
    f"nix/store/{HASH}-glibc-2.39-52-bin": "",
    f"nix/store/{OTHER}-nss-cacert-3.98": "",
    f"nix/store/{HASH}-profile": "",
    f"nix/store/{HASH}-bash-5.drv": "",
    "opt/conda/conda-meta/numpy-1.26.4-py311_0.json": json.dumps(
        {
            "name": "numpy", "version": "1.26.4", "build": "py311_0", "channel": "https://c/main", "subdir": "linux-64",
            "license": "BSD-3-Clause", "depends": ["python >=3.11", "libblas"], "requested_spec": "numpy",
            "files": ["lib/python3.11/site-packages/numpy/__init__.py", "bin/f2py"],
        }
    ),
    "opt/conda/conda-meta/python-3.11.8-h_0.json": json.dumps(
        {"name": "python", "version": "3.11.8", "files": ["bin/python3.11"], "requested_spec": "None"}
    ),
    "home/linuxbrew/.linuxbrew/Cellar/jq/1.7.1/INSTALL_RECEIPT.json": json.dumps(
        {
            "installed_on_request": True, "installed_as_dependency": False, "arch": "x86_64",
            "runtime_dependencies": [{"full_name": "homebrew/core/oniguruma", "version": "6.9.9"}, 7],
        }
    ),
    "home/linuxbrew/.linuxbrew/Cellar/oniguruma/6.9.9/INSTALL_RECEIPT.json": '{"installed_as_dependency": true}',
}  # fmt: skip

RAKE = """# -*- encoding: utf-8 -*-
# stub: rake 13.1.0 ruby lib

Gem::Specification.new do |s|
  s.name = "rake".freeze
  s.version = "13.1.0"
  s.licenses = ["MIT".freeze, "Ruby"]
  s.add_runtime_dependency(%q<json>.freeze, [">= 2"])
  s.add_development_dependency(%q<minitest>.freeze, [">= 5"])
end
"""
JSON_GEM = """Gem::Specification.new do |s|
  s.name = "json"
  s.version = Gem::Version.new("2.7.1")
  s.files = ["LICENSE", "lib/json.rb", "lib/json/common.rb"]
end
"""
GEMS = "usr/local/lib/ruby/gems/3.3.0"

LANGUAGES = {
    f"{GEMS}/specifications/rake-13.1.0.gemspec": RAKE,
    f"{GEMS}/specifications/default/json-2.7.1.gemspec": JSON_GEM,
    f"{GEMS}/specifications/bad-1.gemspec": "Gem::Specification.new",
    f"{GEMS}/extensions/x86_64-linux/3.3.0/rake-13.1.0/gem.build_complete": "",
    "srv/composer.json": '{"require": {"php": ">=8", "monolog/monolog": "^3"}}',
    "srv/vendor/composer/installed.json": json.dumps(
        {
            "packages": [
                {"name": "monolog/monolog", "version": "3.5.0", "install-path": "../monolog/monolog", "license": ["MIT"],
                 "require": {"php": ">=8.1", "psr/log": "^3"}},
                {"name": "psr/log", "version": "3.0.0", "install-path": "../psr/log"},
                {"name": "phpunit/phpunit", "version": "10.5", "install-path": "../phpunit/phpunit"},
                {"name": "evil/climb", "version": "1", "install-path": "../../../../etc"},
                {"name": "cut"}, 7,
            ],
            "dev-package-names": ["phpunit/phpunit"],
        }
    ),
    "old/vendor/composer/installed.json": '[{"name": "a/b", "version": "1.0"}]',
    "app/Shop.deps.json": json.dumps(
        {
            "runtimeTarget": {"name": ".NETCoreApp,Version=v8.0"},
            "targets": {
                ".NETCoreApp,Version=v8.0": {
                    "Shop/1.0.0": {"dependencies": {"Dapper": "2.1.35"}, "runtime": {"Shop.dll": {}}},
                    "Dapper/2.1.35": {
                        "runtime": {"lib/net7.0/Dapper.dll": {"fileVersion": "2"}},
                        "resources": {"lib/net7.0/de/Dapper.resources.dll": {"locale": "de"}},
                        "dependencies": {"System.Data": "1"},
                    },
                }
            },
            "libraries": {
                "Shop/1.0.0": {"type": "project"}, "Dapper/2.1.35": {"type": "package"}, "System.Data/1": {"type": "package"},
                "Local/1": {"type": "reference"}, "odd": {},
            },
        }
    ),
    "usr/local/lib/R/site-library/jsonlite/DESCRIPTION": (
        "Package: jsonlite\nVersion: 1.8.8\nLicense: MIT + file LICENSE\nDepends: R (>= 3),\n    methods\nImports: rlang (>= 1)\n"
        "Built: R 4.3.2; x86_64-pc-linux-gnu\n"
    ),
    "usr/local/lib/R/library/methods/DESCRIPTION": "Package: methods\nVersion: 4.3.2\nPriority: base\nBuilt: R 4.3.2\n",
    "src/library/raw/DESCRIPTION": "Package: raw\nVersion: 1\n",
    "usr/local/lib/perl5/site_perl/5.38/x86_64-linux/auto/JSON/XS/.packlist": (
        "/usr/local/bin/json_xs\n/usr/local/lib/perl5/site_perl/5.38/JSON/XS.pm type=file\n"
    ),
    "usr/local/lib/perl5/5.38/perllocal.pod": "=head2 Mon: C<Module> L<JSON::XS|JSON::XS>\n\n=item *\n\nC<VERSION: 4.03>\n",
    "app/.yarn/cache/@babel-core-npm-7.23.9-ae4e4f5c9a-03883300bf.zip": "",
    "app/.yarn/cache/lodash-npm-4.17.21-6382451519-eb835a2e51.zip": "",
    "app/.yarn/cache/odd.zip": "",
    "usr/local/include/node/node_version.h": (
        "#define NODE_MAJOR_VERSION 20\n#define NODE_MINOR_VERSION 11\n#define NODE_PATCH_VERSION 1\n"
    ),
    "usr/include/node/node_version.h": (
        "#define NODE_MAJOR_VERSION 18\n#define NODE_MINOR_VERSION 1\n#define NODE_PATCH_VERSION 1\n"
    ),
    "usr/local/include/python3.12/patchlevel.h": '#define PY_VERSION      \t"3.12.2"\n',
    "opt/java/openjdk/release": 'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_RUNTIME_VERSION="21.0.2+13-LTS"\nJAVA_VERSION="21.0.2"\n',
    "etc/release": "something else\n",
}  # fmt: skip
