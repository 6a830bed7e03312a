/* One function for each symbol of libc, to be called inside a domain: CALL(symbol) uses it, and returns whether it did what its
   manual page says. Compiled without builtins, so that each call is one. What is known of each is in cargo-isolate/data/libc.txt. */
#define _GNU_SOURCE
#define _LARGEFILE64_SOURCE
#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <fnmatch.h>
#include <getopt.h>
#include <glob.h>
#include <grp.h>
#include <iconv.h>
#include <inttypes.h>
#include <langinfo.h>
#include <libgen.h>
#include <limits.h>
#include <link.h>
#include <locale.h>
#include <malloc.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include <wchar.h>
#include <wctype.h>

#define CALL(symbol) int call_##symbol(void)
/* What the compiler must not know. */
#define V(type, value) (*(volatile type *)&(type){value})
static char *text(void) { static char bytes[64]; memcpy(bytes, "hello, world", 13); return bytes; }
/* A path of this process alone, and a file there. */
static char *path(char which) { static char name[64]; snprintf(name, sizeof name, "/tmp/isolate-libc-%d-%c", (int)getpid(), which); return name; }
static int file(char which) { return open(path(which), O_RDWR | O_CREAT | O_TRUNC, 0600); }
static int near_(double a, double b) { return a - b < 1e-9 && b - a < 1e-9; }

/* Strings and memory. */
CALL(strlen) { return strlen(text()) == 12; }
CALL(strnlen) { return strnlen(text(), 5) == 5; }
CALL(strcpy) { char to[20]; return strcpy(to, text()) == to && to[11] == 'd'; }
CALL(strncpy) { char to[20]; strncpy(to, text(), 20); return to[19] == 0; }
CALL(stpcpy) { char to[20]; return stpcpy(to, text()) == to + 12; }
CALL(stpncpy) { char to[20]; return stpncpy(to, text(), 20) == to + 12; }
CALL(strcat) { char to[40] = "x"; return strlen(strcat(to, text())) == 13; }
CALL(strncat) { char to[40] = "x"; return strlen(strncat(to, text(), 3)) == 4; }
CALL(strcmp) { return strcmp(text(), "hello, worlds") < 0; }
CALL(strncmp) { return strncmp(text(), "hello!", 5) == 0; }
CALL(strcasecmp) { return strcasecmp(text(), "HELLO, WORLD") == 0; }
CALL(strncasecmp) { return strncasecmp(text(), "HELLO!", 5) == 0; }
CALL(strcoll) { return strcoll(text(), "hello, world") == 0; }
CALL(strxfrm) { char to[40]; return strxfrm(to, text(), 40) > 0; }
CALL(strchr) { char *s = text(); return strchr(s, 'o') == s + 4; }
CALL(strrchr) { char *s = text(); return strrchr(s, 'o') == s + 8; }
CALL(strchrnul) { char *s = text(); return strchrnul(s, '?') == s + 12; }
CALL(rawmemchr) { char *s = text(); return rawmemchr(s, 'w') == s + 7; }
CALL(strstr) { char *s = text(); return strstr(s, "wor") == s + 7; }
CALL(strcasestr) { char *s = text(); return strcasestr(s, "WOR") == s + 7; }
CALL(strspn) { return strspn(text(), "ehl") == 4; }
CALL(strcspn) { return strcspn(text(), "wo") == 4; }
CALL(strpbrk) { char *s = text(); return strpbrk(s, "ow") == s + 4; }
CALL(strtok) { char s[] = "a b"; return !strcmp(strtok(s, " "), "a") && !strcmp(strtok(NULL, " "), "b"); }
CALL(strtok_r) { char s[] = "a b", *at; return !strcmp(strtok_r(s, " ", &at), "a"); }
CALL(strsep) { char s[] = "a b", *at = s; return !strcmp(strsep(&at, " "), "a"); }
CALL(strdup) { char *s = strdup(text()); int same = !strcmp(s, text()); free(s); return same; }
CALL(__strdup) { extern char *__strdup(const char *); char *s = __strdup(text()); int same = !strcmp(s, text()); free(s); return same; }
CALL(strndup) { char *s = strndup(text(), 5); int same = !strcmp(s, "hello"); free(s); return same; }
CALL(strerror) { return !strcmp(strerror(ENOENT), "No such file or directory") && !strcmp(strerror(12345), "Unknown error 12345"); }
CALL(strerror_l) { return !strcmp(strerror_l(EINTR, uselocale(0)), "Interrupted system call"); }
CALL(strerror_r) { char to[99]; return strlen(strerror_r(ENOENT, to, 99)) > 3; }
CALL(__xpg_strerror_r) { extern int __xpg_strerror_r(int, char *, size_t); char to[99]; return __xpg_strerror_r(ENOENT, to, 99) == 0; }
CALL(strsignal) { return strlen(strsignal(SIGSEGV)) > 3; }
CALL(memcpy) { char to[20]; return memcpy(to, text(), 13) == to && to[1] == 'e'; }
CALL(mempcpy) { char to[20]; return mempcpy(to, text(), 13) == to + 13; }
CALL(memmove) { char *s = text(); memmove(s + 1, s, 5); return s[1] == 'h'; }
CALL(memset) { char to[20]; return memset(to, 7, 20) == to && to[19] == 7; }
CALL(memcmp) { return memcmp(text(), "hellp", 5) < 0; }
CALL(bcmp) { return bcmp(text(), "hello", 5) == 0; }
CALL(bcopy) { char to[20]; bcopy(text(), to, 13); return to[1] == 'e'; }
CALL(bzero) { char to[20] = "x"; bzero(to, 20); return to[0] == 0; }
CALL(explicit_bzero) { char to[20] = "x"; explicit_bzero(to, 20); return to[0] == 0; }
CALL(memchr) { char *s = text(); return memchr(s, 'w', 12) == s + 7; }
CALL(memrchr) { char *s = text(); return memrchr(s, 'o', 12) == s + 8; }
CALL(memmem) { char *s = text(); return memmem(s, 12, "wor", 3) == s + 7; }
CALL(memccpy) { char to[20]; return memccpy(to, text(), 'o', 12) == to + 5; }
CALL(swab) { char to[4] = ""; swab("abcd", to, 4); return to[0] == 'b'; }
CALL(ffs) { return ffs(V(int, 8)) == 4; }
CALL(index) { char *s = text(); return index(s, 'o') == s + 4; }
CALL(rindex) { char *s = text(); return rindex(s, 'o') == s + 8; }
CALL(strverscmp) { return strverscmp("a9", "a10") < 0; }
CALL(__memcpy_chk) { extern void *__memcpy_chk(void *, const void *, size_t, size_t); char to[20]; return __memcpy_chk(to, text(), 13, 20) == to; }
CALL(__memmove_chk) { extern void *__memmove_chk(void *, const void *, size_t, size_t); char to[20]; return __memmove_chk(to, text(), 13, 20) == to; }
CALL(__memset_chk) { extern void *__memset_chk(void *, int, size_t, size_t); char to[20]; return __memset_chk(to, 0, 13, 20) == to; }
CALL(__strcpy_chk) { extern char *__strcpy_chk(char *, const char *, size_t); char to[20]; return __strcpy_chk(to, text(), 20) == to; }
CALL(__strncpy_chk) { extern char *__strncpy_chk(char *, const char *, size_t, size_t); char to[20]; return __strncpy_chk(to, text(), 20, 20) == to; }
CALL(__strcat_chk) { extern char *__strcat_chk(char *, const char *, size_t); char to[20] = ""; return __strcat_chk(to, text(), 20) == to; }
CALL(__strncat_chk) { extern char *__strncat_chk(char *, const char *, size_t, size_t); char to[20] = ""; return __strncat_chk(to, text(), 5, 20) == to; }
CALL(__sprintf_chk) { extern int __sprintf_chk(char *, int, size_t, const char *, ...); char to[20]; return __sprintf_chk(to, 1, 20, "%d", 42) == 2; }
CALL(__snprintf_chk) { extern int __snprintf_chk(char *, size_t, int, size_t, const char *, ...); char to[20]; return __snprintf_chk(to, 20, 1, 20, "%d", 42) == 2; }
CALL(__fprintf_chk) { extern int __fprintf_chk(FILE *, int, const char *, ...); return __fprintf_chk(stderr, 1, "%s", "") == 0; }
CALL(__printf_chk) { extern int __printf_chk(int, const char *, ...); return __printf_chk(1, "%s", "") == 0; }

/* Characters. */
CALL(isalpha) { return isalpha(V(int, 'a')) && !isalpha(V(int, '1')); }
CALL(isalnum) { return isalnum(V(int, '1')) && !isalnum(V(int, '-')); }
CALL(isdigit) { return isdigit(V(int, '1')) && !isdigit(V(int, 'a')); }
CALL(isxdigit) { return isxdigit(V(int, 'f')) && !isxdigit(V(int, 'g')); }
CALL(isspace) { return isspace(V(int, ' ')) && !isspace(V(int, 'a')); }
CALL(isblank) { return isblank(V(int, ' ')) && !isblank(V(int, 'a')); }
CALL(isupper) { return isupper(V(int, 'A')) && !isupper(V(int, 'a')); }
CALL(islower) { return islower(V(int, 'a')) && !islower(V(int, 'A')); }
CALL(ispunct) { return ispunct(V(int, ',')) && !ispunct(V(int, 'a')); }
CALL(isprint) { return isprint(V(int, 'a')) && !isprint(V(int, 1)); }
CALL(isgraph) { return isgraph(V(int, 'a')) && !isgraph(V(int, ' ')); }
CALL(iscntrl) { return iscntrl(V(int, 1)) && !iscntrl(V(int, 'a')); }
CALL(isascii) { return isascii(V(int, 'a')) && !isascii(V(int, 200)); }
CALL(toupper) { return toupper(V(int, 'a')) == 'A'; }
CALL(tolower) { return tolower(V(int, 'A')) == 'a'; }
CALL(toascii) { return toascii(V(int, 0xe1)) == 'a'; }
CALL(__ctype_b_loc) { return (*__ctype_b_loc())['1'] & _ISdigit; }
CALL(__ctype_tolower_loc) { return (*__ctype_tolower_loc())['A'] == 'a'; }
CALL(__ctype_toupper_loc) { return (*__ctype_toupper_loc())['a'] == 'A'; }
CALL(__ctype_get_mb_cur_max) { return MB_CUR_MAX >= 1; }
CALL(iswalpha) { return iswalpha(V(wint_t, L'a')) != 0; }
CALL(iswdigit) { return iswdigit(V(wint_t, L'1')) != 0; }
CALL(iswspace) { return iswspace(V(wint_t, L' ')) != 0; }
CALL(iswalnum) { return iswalnum(V(wint_t, L'1')) != 0; }
CALL(iswupper) { return iswupper(V(wint_t, L'A')) != 0; }
CALL(iswlower) { return iswlower(V(wint_t, L'a')) != 0; }
CALL(iswprint) { return iswprint(V(wint_t, L'a')) != 0; }
CALL(iswpunct) { return iswpunct(V(wint_t, L',')) != 0; }
CALL(iswctype) { return iswctype(V(wint_t, L'a'), wctype("alpha")) != 0; }
CALL(wctype) { return wctype("alpha") != 0; }
CALL(towlower) { return towlower(V(wint_t, L'A')) == L'a'; }
CALL(towupper) { return towupper(V(wint_t, L'a')) == L'A'; }
CALL(wcslen) { return wcslen(L"abc") == 3; }
CALL(wcscmp) { return wcscmp(L"abc", L"abd") < 0; }
CALL(wcsncmp) { return wcsncmp(L"abc", L"abd", 2) == 0; }
CALL(wcscpy) { wchar_t to[8]; return wcscpy(to, L"abc") == to; }
CALL(wcsncpy) { wchar_t to[8]; return wcsncpy(to, L"abc", 8) == to; }
CALL(wcscat) { wchar_t to[8] = L"a"; return wcscat(to, L"b") == to; }
CALL(wcschr) { return wcschr(L"abc", L'b') != NULL; }
CALL(wcsrchr) { return wcsrchr(L"abc", L'b') != NULL; }
CALL(wcsstr) { return wcsstr(L"abc", L"bc") != NULL; }
CALL(wmemcpy) { wchar_t to[8]; return wmemcpy(to, L"abc", 4) == to; }
CALL(wmemmove) { wchar_t to[8]; return wmemmove(to, L"abc", 4) == to; }
CALL(wmemset) { wchar_t to[8]; return wmemset(to, L'a', 8) == to; }
CALL(wmemcmp) { return wmemcmp(L"abc", L"abd", 2) == 0; }
CALL(wmemchr) { return wmemchr(L"abc", L'b', 3) != NULL; }
CALL(wcscoll) { return wcscoll(L"abc", L"abc") == 0; }
CALL(wcsxfrm) { wchar_t to[8]; return wcsxfrm(to, L"abc", 8) > 0; }
CALL(wcstol) { return wcstol(L"42", NULL, 10) == 42; }
CALL(mbtowc) { wchar_t to; return mbtowc(&to, "a", 1) == 1; }
CALL(wctomb) { char to[16]; return wctomb(to, L'a') == 1; }
CALL(mbrtowc) { wchar_t to; mbstate_t s = {0}; return mbrtowc(&to, "a", 1, &s) == 1; }
CALL(wcrtomb) { char to[16]; mbstate_t s = {0}; return wcrtomb(to, L'a', &s) == 1; }
CALL(mbstowcs) { wchar_t to[8]; return mbstowcs(to, "abc", 8) == 3; }
CALL(wcstombs) { char to[8]; return wcstombs(to, L"abc", 8) == 3; }
CALL(mbsrtowcs) { wchar_t to[8]; const char *from = "abc"; mbstate_t s = {0}; return mbsrtowcs(to, &from, 8, &s) == 3; }
CALL(mbsnrtowcs) { wchar_t to[8]; const char *from = "abc"; mbstate_t s = {0}; return mbsnrtowcs(to, &from, 3, 8, &s) == 3; }
CALL(wcsnrtombs) { char to[8]; const wchar_t *from = L"abc"; mbstate_t s = {0}; return wcsnrtombs(to, &from, 3, 8, &s) == 3; }
CALL(mbrlen) { mbstate_t s = {0}; return mbrlen("a", 1, &s) == 1; }
CALL(btowc) { return btowc(V(int, 'a')) == L'a'; }
CALL(wctob) { return wctob(V(wint_t, L'a')) == 'a'; }

/* Numbers. */
CALL(atoi) { return atoi("42x") == 42; }
CALL(atol) { return atol("42x") == 42; }
CALL(atoll) { return atoll("42x") == 42; }
CALL(atof) { return near_(atof("4.5"), 4.5); }
CALL(strtol) { return strtol("2a", NULL, 16) == 42; }
CALL(strtoul) { return strtoul("2a", NULL, 16) == 42; }
CALL(strtoll) { return strtoll("2a", NULL, 16) == 42; }
CALL(strtoull) { return strtoull("2a", NULL, 16) == 42; }
CALL(strtoimax) { return strtoimax("2a", NULL, 16) == 42; }
CALL(strtoumax) { return strtoumax("2a", NULL, 16) == 42; }
CALL(strtod) { return near_(strtod("4.5", NULL), 4.5); }
CALL(strtof) { return near_(strtof("4.5", NULL), 4.5); }
CALL(strtold) { return near_(strtold("4.5", NULL), 4.5); }
CALL(abs) { return abs(V(int, -4)) == 4; }
CALL(labs) { return labs(V(long, -4)) == 4; }
CALL(llabs) { return llabs(V(long long, -4)) == 4; }
CALL(div) { return div(V(int, 9), 4).rem == 1; }
CALL(ldiv) { return ldiv(V(long, 9), 4).rem == 1; }
CALL(lldiv) { return lldiv(V(long long, 9), 4).rem == 1; }
CALL(snprintf) { char to[64]; return snprintf(to, 64, "%d %s %.3f %p", 42, "x", 1.5, (void *)0) == 16; }
CALL(sprintf) { char to[64]; return sprintf(to, "%05ld|%-4c|%x", 42L, 'c', 255) == 13; }
static int by_list(int (*f)(char *, const char *, va_list), char *to, const char *format, ...) { va_list l; va_start(l, format); int n = f(to, format, l); va_end(l); return n; }
static int sized(char *to, const char *format, va_list l) { return vsnprintf(to, 64, format, l); }
CALL(vsprintf) { char to[64]; return by_list(vsprintf, to, "%d", 42) == 2; }
CALL(vsnprintf) { char to[64]; return by_list(sized, to, "%d", 42) == 2; }
static int allocated(char *to, const char *format, va_list l) { char *s; (void)to; int n = vasprintf(&s, format, l); free(s); return n; }
CALL(vasprintf) { return by_list(allocated, NULL, "%d", 42) == 2; }
CALL(asprintf) { char *s; int n = asprintf(&s, "%d", 42); free(s); return n == 2; }
CALL(sscanf) { int n; char s[8]; return sscanf("42 abc", "%d %7s", &n, s) == 2 && n == 42; }
CALL(__isoc99_sscanf) { extern int __isoc99_sscanf(const char *, const char *, ...); int n; return __isoc99_sscanf("42", "%d", &n) == 1; }
static int scanned(char *from, const char *format, va_list l) { return vsscanf(from, format, l); }
CALL(vsscanf) { int n; char s[] = "42"; return by_list(scanned, s, "%d", &n) == 1; }
CALL(swprintf) { wchar_t to[16]; return swprintf(to, 16, L"%d", 42) == 2; }
CALL(rand) { return rand() >= 0; }
CALL(srand) { srand(1); return 1; }
CALL(rand_r) { unsigned seed = 1; return rand_r(&seed) >= 0; }
CALL(random) { return random() >= 0; }
CALL(srandom) { srandom(1); return 1; }
CALL(random_r) { struct random_data d = {0}; char state[64]; int32_t n; return initstate_r(1, state, 64, &d) == 0 && random_r(&d, &n) == 0; }
CALL(drand48) { return drand48() >= 0; }
CALL(mrand48) { mrand48(); return 1; }
CALL(jrand48) { unsigned short s[3] = {1}; jrand48(s); return 1; }
CALL(lrand48) { return lrand48() >= 0; }
CALL(srand48) { srand48(1); return 1; }
CALL(erand48) { unsigned short s[3] = {1}; return erand48(s) >= 0; }
CALL(nrand48) { unsigned short s[3] = {1}; return nrand48(s) >= 0; }
static int less(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static int less_r(const void *a, const void *b, void *c) { (void)c; return less(a, b); }
CALL(qsort) { int n[600]; for (int i = 0; i < 600; i++) n[i] = 599 - i; qsort(n, 600, sizeof *n, less); return n[0] == 0 && n[599] == 599; }
CALL(qsort_r) { int n[600]; for (int i = 0; i < 600; i++) n[i] = 599 - i; qsort_r(n, 600, sizeof *n, less_r, NULL); return n[0] == 0 && n[599] == 599; }
CALL(bsearch) { int n[] = {1, 3, 5}, k = 3; return bsearch(&k, n, 3, sizeof *n, less) == n + 1; }
CALL(lfind) { int n[] = {1, 3, 5}, k = 3; size_t c = 3; return lfind(&k, n, &c, sizeof *n, less) == n + 1; }
CALL(tsearch) { void *root = NULL; int k = 3; return tsearch(&k, &root, less) != NULL; }
CALL(tfind) { void *root = NULL; int k = 3; return tfind(&k, &root, less) == NULL; }

/* Mathematics. */
#define MATH(name, x, y) CALL(name) { return near_(name(V(double, x)), y); } CALL(name##f) { float r = name##f(V(float, x)); return r - (y) < 1e-5 && (y) - r < 1e-5; }
MATH(sqrt, 4, 2) MATH(floor, 1.5, 1) MATH(ceil, 1.5, 2) MATH(fabs, -1.5, 1.5) MATH(exp, 0, 1) MATH(log, 1, 0) MATH(log10, 100, 2) MATH(log2, 8, 3)
MATH(sin, 0, 0) MATH(cos, 0, 1) MATH(tan, 0, 0) MATH(asin, 0, 0) MATH(acos, 1, 0) MATH(atan, 0, 0) MATH(sinh, 0, 0) MATH(cosh, 0, 1) MATH(tanh, 0, 0)
MATH(asinh, 0, 0) MATH(acosh, 1, 0) MATH(atanh, 0, 0) MATH(cbrt, 27, 3) MATH(trunc, 1.7, 1) MATH(round, 1.5, 2) MATH(rint, 1.2, 1) MATH(nearbyint, 1.2, 1)
MATH(exp2, 3, 8) MATH(expm1, 0, 0) MATH(log1p, 0, 0) MATH(erf, 0, 0) MATH(erfc, 0, 1) MATH(tgamma, 4, 6)
CALL(pow) { return near_(pow(V(double, 2), 3), 8); }
CALL(powf) { return powf(V(float, 2), 3) == 8; }
CALL(fmod) { return near_(fmod(V(double, 7), 4), 3); }
CALL(fmodf) { return fmodf(V(float, 7), 4) == 3; }
CALL(atan2) { return near_(atan2(V(double, 0), 1), 0); }
CALL(atan2f) { return atan2f(V(float, 0), 1) == 0; }
CALL(hypot) { return near_(hypot(V(double, 3), 4), 5); }
CALL(hypotf) { return hypotf(V(float, 3), 4) == 5; }
CALL(ldexp) { return near_(ldexp(V(double, 1), 3), 8); }
CALL(ldexpf) { return ldexpf(V(float, 1), 3) == 8; }
CALL(expl) { return near_(expl(V(long double, 0)), 1); }
CALL(frexp) { int e; return near_(frexp(V(double, 8), &e), 0.5) && e == 4; }
CALL(frexpf) { int e; return frexpf(V(float, 8), &e) == 0.5f && e == 4; }
CALL(modf) { double i; return near_(modf(V(double, 1.5), &i), 0.5) && i == 1; }
CALL(modff) { float i; return modff(V(float, 1.5), &i) == 0.5f && i == 1; }
CALL(fmin) { return fmin(V(double, 1), 2) == 1; }
CALL(fmax) { return fmax(V(double, 1), 2) == 2; }
CALL(fma) { return fma(V(double, 2), 3, 4) == 10; }
CALL(scalbn) { return scalbn(V(double, 1), 3) == 8; }
CALL(lrint) { return lrint(V(double, 1.2)) == 1; }
CALL(lrintf) { return lrintf(V(float, 1.2f)) == 1; }
CALL(llrint) { return llrint(V(double, 1.2)) == 1; }
CALL(lround) { return lround(V(double, 1.5)) == 2; }
CALL(llround) { return llround(V(double, 1.5)) == 2; }
CALL(copysign) { return copysign(V(double, 1), -1) == -1; }
CALL(nextafter) { return nextafter(V(double, 1), 2) > 1; }
CALL(remainder) { return remainder(V(double, 7), 4) == -1; }
CALL(lgamma) { return near_(lgamma(V(double, 1)), 0); }
CALL(lgamma_r) { int sign; return near_(lgamma_r(V(double, 1), &sign), 0); }
CALL(sincos) { double s, c; sincos(V(double, 0), &s, &c); return s == 0 && c == 1; }
CALL(fegetround) { return fegetround() == FE_TONEAREST; }
CALL(fesetround) { return fesetround(FE_UPWARD) == 0; }
CALL(feclearexcept) { return feclearexcept(FE_ALL_EXCEPT) == 0; }
CALL(fetestexcept) { return fetestexcept(0) == 0; }

/* The allocator. */
CALL(malloc) { char *b = malloc(V(size_t, 100)); if (b) b[99] = 1; free(b); return b != NULL; }
CALL(calloc) { char *b = calloc(V(size_t, 100), 3); int z = b && b[299] == 0; free(b); return z; }
CALL(realloc) { char *b = realloc(malloc(10), V(size_t, 1000)); if (b) b[999] = 1; free(b); return b != NULL; }
CALL(reallocarray) { char *b = reallocarray(NULL, V(size_t, 100), 10); if (b) b[999] = 1; free(b); return b != NULL; }
CALL(free) { free(malloc(V(size_t, 10))); free(NULL); return 1; }
CALL(cfree) { free(NULL); return 1; }
CALL(memalign) { void *b = memalign(64, 10); free(b); return b && (uintptr_t)b % 64 == 0; }
CALL(aligned_alloc) { void *b = aligned_alloc(64, 64); free(b); return b && (uintptr_t)b % 64 == 0; }
CALL(posix_memalign) { void *b; if (posix_memalign(&b, 64, 10)) return 0; free(b); return 1; }
CALL(valloc) { void *b = valloc(10); free(b); return b != NULL; }
CALL(pvalloc) { void *b = pvalloc(10); free(b); return b != NULL; }
CALL(malloc_usable_size) { void *b = malloc(100); size_t n = malloc_usable_size(b); free(b); return n >= 100; }
CALL(malloc_trim) { malloc_trim(0); return 1; }
CALL(mallopt) { mallopt(M_ARENA_MAX, 2); return 1; }
CALL(mallinfo) { mallinfo(); return 1; }

/* Files by number. */
CALL(open) { int f = file('a'); close(f); unlink(path('a')); return f >= 0; }
CALL(open64) { int f = open64("/dev/null", O_RDONLY); close(f); return f >= 0; }
CALL(__open_2) { extern int __open_2(const char *, int); int f = __open_2("/dev/null", O_RDONLY); close(f); return f >= 0; }
CALL(openat) { int f = openat(AT_FDCWD, "/dev/null", O_RDONLY); close(f); return f >= 0; }
CALL(creat) { int f = creat(path('b'), 0600); close(f); unlink(path('b')); return f >= 0; }
CALL(close) { return close(open("/dev/null", O_RDONLY)) == 0; }
CALL(read) { char b[4]; int f = open("/dev/zero", O_RDONLY); int n = read(f, b, 4); close(f); return n == 4; }
CALL(__read_chk) { extern ssize_t __read_chk(int, void *, size_t, size_t); char b[4]; int f = open("/dev/zero", O_RDONLY); int n = __read_chk(f, b, 4, 4); close(f); return n == 4; }
CALL(write) { int f = open("/dev/null", O_WRONLY); int n = write(f, "abcd", 4); close(f); return n == 4; }
CALL(pread) { char b[4]; int f = open("/dev/zero", O_RDONLY); int n = pread(f, b, 4, 0); close(f); return n == 4; }
CALL(pread64) { char b[4]; int f = open("/dev/zero", O_RDONLY); int n = pread64(f, b, 4, 0); close(f); return n == 4; }
CALL(pwrite) { int f = file('c'); int n = pwrite(f, "abcd", 4, 0); close(f); unlink(path('c')); return n == 4; }
CALL(pwrite64) { int f = file('d'); int n = pwrite64(f, "abcd", 4, 0); close(f); unlink(path('d')); return n == 4; }
CALL(readv) { char b[4]; struct iovec v = {b, 4}; int f = open("/dev/zero", O_RDONLY); int n = readv(f, &v, 1); close(f); return n == 4; }
CALL(writev) { struct iovec v = {text(), 4}; int f = open("/dev/null", O_WRONLY); int n = writev(f, &v, 1); close(f); return n == 4; }
CALL(lseek) { int f = file('e'); off_t n = lseek(f, 7, SEEK_SET); close(f); unlink(path('e')); return n == 7; }
CALL(lseek64) { int f = file('f'); off64_t n = lseek64(f, 7, SEEK_SET); close(f); unlink(path('f')); return n == 7; }
CALL(dup) { int f = open("/dev/null", O_RDONLY), g = dup(f); close(f); close(g); return g >= 0; }
CALL(dup2) { int f = open("/dev/null", O_RDONLY), g = dup2(f, 77); close(f); close(77); return g == 77; }
CALL(pipe) { int p[2]; int r = pipe(p); close(p[0]); close(p[1]); return r == 0; }
CALL(pipe2) { int p[2]; int r = pipe2(p, O_CLOEXEC); close(p[0]); close(p[1]); return r == 0; }
CALL(fcntl) { int f = open("/dev/null", O_RDONLY); int r = fcntl(f, F_GETFL); close(f); return r >= 0; }
CALL(fcntl64) { extern int fcntl64(int, int, ...); int f = open("/dev/null", O_RDONLY); int r = fcntl64(f, F_GETFL); close(f); return r >= 0; }
CALL(ioctl) { int p[2], n = -1; if (pipe(p)) return 0; ioctl(p[0], FIONREAD, &n); close(p[0]); close(p[1]); return n == 0; }
CALL(fstat) { struct stat s; int f = open("/dev/null", O_RDONLY); int r = fstat(f, &s); close(f); return r == 0 && S_ISCHR(s.st_mode); }
CALL(fstat64) { struct stat64 s; int f = open("/dev/null", O_RDONLY); int r = fstat64(f, &s); close(f); return r == 0; }
CALL(stat) { struct stat s; return stat("/dev/null", &s) == 0; }
CALL(stat64) { struct stat64 s; return stat64("/dev/null", &s) == 0; }
CALL(lstat) { struct stat s; return lstat("/dev/null", &s) == 0; }
CALL(lstat64) { struct stat64 s; return lstat64("/dev/null", &s) == 0; }
CALL(fstatat) { struct stat s; return fstatat(AT_FDCWD, "/dev/null", &s, 0) == 0; }
CALL(statvfs) { struct statvfs s; return statvfs("/tmp", &s) == 0; }
CALL(ftruncate) { int f = file('g'); int r = ftruncate(f, 9); close(f); unlink(path('g')); return r == 0; }
CALL(ftruncate64) { int f = file('h'); int r = ftruncate64(f, 9); close(f); unlink(path('h')); return r == 0; }
CALL(truncate) { close(file('i')); int r = truncate(path('i'), 9); unlink(path('i')); return r == 0; }
CALL(fsync) { int f = file('j'); int r = fsync(f); close(f); unlink(path('j')); return r == 0; }
CALL(fdatasync) { int f = file('k'); int r = fdatasync(f); close(f); unlink(path('k')); return r == 0; }
CALL(fallocate) { int f = file('l'); int r = fallocate(f, 0, 0, 9); close(f); unlink(path('l')); return r == 0 || errno == EOPNOTSUPP; }
CALL(posix_fallocate) { int f = file('m'); int r = posix_fallocate(f, 0, 9); close(f); unlink(path('m')); return r == 0; }
CALL(posix_fadvise) { int f = file('n'); int r = posix_fadvise(f, 0, 9, POSIX_FADV_NORMAL); close(f); unlink(path('n')); return r == 0; }
CALL(fchmod) { int f = file('o'); int r = fchmod(f, 0600); close(f); unlink(path('o')); return r == 0; }
CALL(fchown) { int f = file('p'); int r = fchown(f, -1, -1); close(f); unlink(path('p')); return r == 0; }
CALL(chmod) { close(file('q')); int r = chmod(path('q'), 0600); unlink(path('q')); return r == 0; }
CALL(chown) { close(file('r')); int r = chown(path('r'), -1, -1); unlink(path('r')); return r == 0; }
CALL(posix_madvise) { void *m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); int r = posix_madvise(m, 4096, POSIX_MADV_NORMAL); munmap(m, 4096); return r == 0; }
CALL(flock) { extern int flock(int, int); int f = file('s'); int r = flock(f, 2); close(f); unlink(path('s')); return r == 0; }
CALL(unlink) { close(file('t')); return unlink(path('t')) == 0; }
CALL(unlinkat) { close(file('u')); return unlinkat(AT_FDCWD, path('u'), 0) == 0; }
CALL(remove) { close(file('v')); return remove(path('v')) == 0; }
CALL(rename) { char from[64]; close(file('w')); strcpy(from, path('w')); int r = rename(from, path('x')); unlink(path('x')); return r == 0; }
CALL(link) { char from[64]; close(file('y')); strcpy(from, path('y')); int r = link(from, path('z')); unlink(path('z')); unlink(from); return r == 0; }
CALL(symlink) { int r = symlink("nowhere", path('0')); unlink(path('0')); return r == 0; }
CALL(readlink) { char b[99]; return readlink("/proc/self/exe", b, 99) > 0; }
CALL(mkdir) { int r = mkdir(path('1'), 0700); rmdir(path('1')); return r == 0; }
CALL(rmdir) { mkdir(path('2'), 0700); return rmdir(path('2')) == 0; }
CALL(access) { return access("/dev/null", R_OK) == 0; }
CALL(faccessat) { return faccessat(AT_FDCWD, "/dev/null", R_OK, 0) == 0; }
CALL(getcwd) { char b[4096]; return getcwd(b, 4096) == b; }
CALL(chdir) { return chdir(".") == 0; }
CALL(realpath) { char *p = realpath("/dev/../dev/null", NULL); int r = p && !strcmp(p, "/dev/null"); free(p); return r; }
CALL(utime) { close(file('3')); int r = utime(path('3'), NULL); unlink(path('3')); return r == 0; }
CALL(utimes) { close(file('4')); int r = utimes(path('4'), NULL); unlink(path('4')); return r == 0; }
CALL(utimensat) { close(file('5')); int r = utimensat(AT_FDCWD, path('5'), NULL, 0); unlink(path('5')); return r == 0; }
CALL(futimens) { int f = file('6'); int r = futimens(f, NULL); close(f); unlink(path('6')); return r == 0; }
CALL(umask) { umask(umask(022)); return 1; }
CALL(isatty) { return isatty(-1) == 0; }
CALL(mkstemp) { char p[] = "/tmp/isolate-XXXXXX"; int f = mkstemp(p); close(f); unlink(p); return f >= 0; }
CALL(mkstemp64) { char p[] = "/tmp/isolate-XXXXXX"; int f = mkstemp64(p); close(f); unlink(p); return f >= 0; }
CALL(mkdtemp) { char p[] = "/tmp/isolate-XXXXXX"; int r = mkdtemp(p) != NULL; rmdir(p); return r; }
CALL(poll) { struct pollfd p = {-1, 0, 0}; return poll(&p, 1, 0) == 0; }
CALL(select) { struct timeval t = {0, 0}; return select(0, NULL, NULL, NULL, &t) == 0; }
CALL(epoll_create1) { int f = epoll_create1(0); close(f); return f >= 0; }
CALL(opendir) { DIR *d = opendir("/dev"); closedir(d); return d != NULL; }
CALL(readdir) { DIR *d = opendir("/dev"); int r = readdir(d) != NULL; closedir(d); return r; }
CALL(readdir64) { DIR *d = opendir("/dev"); int r = readdir64(d) != NULL; closedir(d); return r; }
CALL(closedir) { return closedir(opendir("/dev")) == 0; }
CALL(rewinddir) { DIR *d = opendir("/dev"); rewinddir(d); closedir(d); return 1; }
CALL(scandir) { struct dirent **all; int n = scandir("/dev", &all, NULL, alphasort); for (int i = 0; i < n; i++) free(all[i]); if (n >= 0) free(all); return n > 0; }
CALL(dirfd) { DIR *d = opendir("/dev"); int r = dirfd(d) >= 0; closedir(d); return r; }
CALL(fnmatch) { return fnmatch("a*", "abc", 0) == 0; }
CALL(basename) { char p[] = "/a/b"; return !strcmp(__xpg_basename(p), "b"); }
CALL(dirname) { char p[] = "/a/b"; return !strcmp(dirname(p), "/a"); }
CALL(mmap) { char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return m != MAP_FAILED && (m[0] = 1); }
CALL(mmap64) { char *m = mmap64(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); int r = m != MAP_FAILED && (m[0] = 1); munmap(m, 4096); return r; }
CALL(munmap) { void *m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); return munmap(m, 4096) == 0; }
CALL(mremap) { void *m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); m = mremap(m, 4096, 8192, MREMAP_MAYMOVE); munmap(m, 8192); return m != MAP_FAILED; }
CALL(mprotect) { void *m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); int r = mprotect(m, 4096, PROT_NONE); munmap(m, 4096); return r == 0; }
CALL(madvise) { void *m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); int r = madvise(m, 4096, MADV_DONTNEED); munmap(m, 4096); return r == 0; }
CALL(msync) { void *m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); int r = msync(m, 4096, MS_ASYNC); munmap(m, 4096); return r == 0; }
CALL(mlock) { char b[8]; return mlock(b, 8) == 0 || errno; }
CALL(munlock) { char b[8]; return munlock(b, 8) == 0 || errno; }
CALL(mincore) { unsigned char v; return mincore((void *)((uintptr_t)text() & ~4095ul), 4096, &v) == 0; }
CALL(sbrk) { return sbrk(0) != (void *)-1; }

/* stdio. */
CALL(printf) { return printf("%s", "") == 0; }
static int to_stdout(char *file, const char *format, va_list list) { return vprintf(format, list); }
CALL(vprintf) { return by_list(to_stdout, (char *)stdout, "%s", "") == 0; }
CALL(fprintf) { return fprintf(stderr, "%s", "") == 0; }
CALL(vfprintf) { return by_list((int (*)(char *, const char *, va_list))vfprintf, (char *)stderr, "%s", "") == 0; }
CALL(dprintf) { int f = open("/dev/null", O_WRONLY); int n = dprintf(f, "%d", 42); close(f); return n == 2; }
CALL(puts) { return puts("") >= 0; }
CALL(putchar) { return putchar('\n') == '\n'; }
CALL(fputs) { return fputs("", stderr) >= 0; }
CALL(fputc) { return fputc('\n', stderr) == '\n'; }
CALL(putc) { return putc('\n', stderr) == '\n'; }
CALL(fwrite) { return fwrite("\n", 1, 1, stderr) == 1; }
CALL(fread) { char b; return fread(&b, 1, 1, stdin) <= 1; }
CALL(fflush) { return fflush(stderr) == 0; }
CALL(perror) { perror(""); return 1; }
CALL(fopen) { FILE *f = fopen("/dev/null", "w"); if (f) fclose(f); return f != NULL; }
CALL(fopen64) { FILE *f = fopen64("/dev/null", "w"); if (f) fclose(f); return f != NULL; }
CALL(fdopen) { int n = open("/dev/null", O_WRONLY); FILE *f = fdopen(n, "w"); if (f) fclose(f); return f != NULL; }
CALL(freopen) { return freopen("/dev/null", "r", stdin) != NULL; }
CALL(freopen64) { return freopen64("/dev/null", "r", stdin) != NULL; }
CALL(fmemopen) { char b[8]; FILE *f = fmemopen(b, 8, "w"); if (f) fclose(f); return f != NULL; }
CALL(open_memstream) { char *b; size_t n; FILE *f = open_memstream(&b, &n); if (f) fclose(f); return f != NULL; }
CALL(tmpfile) { FILE *f = tmpfile(); if (f) fclose(f); return f != NULL; }
CALL(tmpfile64) { FILE *f = tmpfile64(); if (f) fclose(f); return f != NULL; }
CALL(tmpnam) { char b[L_tmpnam]; return tmpnam(b) != NULL; }
CALL(popen) { FILE *f = popen("true", "r"); if (f) pclose(f); return f != NULL; }
CALL(pclose) { return pclose(stdin) >= -1; }
CALL(fclose) { return fclose(stdin) == 0; }
CALL(stdin) { return stdin != NULL; }
CALL(stdout) { return stdout != NULL; }
CALL(stderr) { return stderr != NULL; }
CALL(ftell) { return ftell(stderr) >= -1; }
CALL(ftello) { return ftello(stderr) >= -1; }
CALL(ftello64) { return ftello64(stderr) >= -1; }
CALL(fseek) { fseek(stderr, 0, SEEK_CUR); return 1; }
CALL(fseeko) { fseeko(stderr, 0, SEEK_CUR); return 1; }
CALL(fseeko64) { fseeko64(stderr, 0, SEEK_CUR); return 1; }
CALL(rewind) { rewind(stderr); return 1; }
CALL(feof) { return feof(stderr) == 0; }
CALL(ferror) { return ferror(stderr) == 0; }
CALL(clearerr) { clearerr(stderr); return 1; }
CALL(fileno) { return fileno(stderr) == 2; }
CALL(fgetc) { return fgetc(stdin) >= -1; }
CALL(__uflow) { extern int __uflow(FILE *); return __uflow(stdin) >= -1; }
CALL(getc) { return getc(stdin) >= -1; }
CALL(getchar) { return getchar() >= -1; }
CALL(ungetc) { return ungetc('a', stdin) == 'a'; }
CALL(fgets) { char b[8]; fgets(b, 8, stdin); return 1; }
CALL(getline) { char *l = NULL; size_t n = 0; getline(&l, &n, stdin); free(l); return 1; }
CALL(getdelim) { char *l = NULL; size_t n = 0; getdelim(&l, &n, ';', stdin); free(l); return 1; }
CALL(setvbuf) { return setvbuf(stdin, NULL, _IONBF, 0) == 0; }
CALL(setbuf) { setbuf(stdin, NULL); return 1; }
CALL(fscanf) { int n; fscanf(stdin, "%d", &n); return 1; }
CALL(__isoc99_fscanf) { extern int __isoc99_fscanf(FILE *, const char *, ...); int n; __isoc99_fscanf(stdin, "%d", &n); return 1; }
CALL(flockfile) { flockfile(stderr); funlockfile(stderr); return 1; }
CALL(funlockfile) { funlockfile(stderr); return 1; }
CALL(putc_unlocked) { return putc_unlocked('\n', stderr) == '\n'; }
CALL(fputs_unlocked) { return fputs_unlocked("", stderr) >= 0; }
CALL(fputc_unlocked) { int (*volatile f)(int, FILE *) = fputc_unlocked; return f('\n', stderr) == '\n'; }
CALL(putchar_unlocked) { int (*volatile f)(int) = putchar_unlocked; return f('\n') == '\n'; }
static int vfprintf_chk(char *file, const char *format, va_list list) { extern int __vfprintf_chk(FILE *, int, const char *, va_list); return __vfprintf_chk((FILE *)file, 1, format, list); }
static int vprintf_chk(char *file, const char *format, va_list list) { extern int __vprintf_chk(int, const char *, va_list); return __vprintf_chk(1, format, list); }
CALL(__vfprintf_chk) { return by_list(vfprintf_chk, (char *)stderr, "%s", "") == 0; }
CALL(__vprintf_chk) { return by_list(vprintf_chk, (char *)stdout, "%s", "") == 0; }
CALL(fwrite_unlocked) { return fwrite_unlocked("\n", 1, 1, stderr) == 1; }

/* Time. */
CALL(time) { return time(NULL) > 0; }
CALL(gettimeofday) { struct timeval t; return gettimeofday(&t, NULL) == 0; }
CALL(clock_gettime) { struct timespec t; return clock_gettime(CLOCK_MONOTONIC, &t) == 0; }
CALL(clock_getres) { struct timespec t; return clock_getres(CLOCK_MONOTONIC, &t) == 0; }
CALL(clock) { return clock() != (clock_t)-1; }
CALL(times) { struct tms t; return times(&t) != (clock_t)-1; }
CALL(timespec_get) { struct timespec t; return timespec_get(&t, TIME_UTC) == TIME_UTC; }
CALL(difftime) { return difftime(V(time_t, 3), 1) == 2; }
CALL(nanosleep) { struct timespec t = {0, 1}; return nanosleep(&t, NULL) == 0; }
CALL(usleep) { return usleep(1) == 0; }
CALL(sleep) { return sleep(0) == 0; }
CALL(sched_yield) { return sched_yield() == 0; }
CALL(timelocal) { struct tm m = {.tm_year = 100, .tm_mday = 1}; return timelocal(&m) != -1; }
CALL(localtime) { time_t t = 0; return localtime(&t) != NULL; }
CALL(localtime_r) { time_t t = 0; struct tm m; return localtime_r(&t, &m) == &m; }
CALL(gmtime) { time_t t = 0; return gmtime(&t) != NULL; }
CALL(gmtime_r) { time_t t = 0; struct tm m; return gmtime_r(&t, &m) == &m && m.tm_year == 70; }
CALL(mktime) { struct tm m = {.tm_year = 100, .tm_mday = 1}; return mktime(&m) != -1; }
CALL(timegm) { struct tm m = {.tm_year = 70, .tm_mday = 2}; return timegm(&m) == 86400; }
CALL(strftime) { struct tm m = {.tm_year = 100, .tm_mday = 1}; char b[64]; return strftime(b, 64, "%Y-%m-%d", &m) == 10; }
CALL(strptime) { struct tm m = {0}; return strptime("2000-01-01", "%Y-%m-%d", &m) != NULL; }
CALL(asctime) { struct tm m = {.tm_mday = 1}; return asctime(&m) != NULL; }
CALL(asctime_r) { struct tm m = {.tm_mday = 1}; char b[64]; return asctime_r(&m, b) == b; }
CALL(ctime) { time_t t = 0; return ctime(&t) != NULL; }
CALL(ctime_r) { time_t t = 0; char b[64]; return ctime_r(&t, b) == b; }
CALL(tzset) { tzset(); return 1; }

/* The environment, and locales. */
CALL(environ) { return environ != NULL && environ[0] != NULL; }
CALL(optind) { return optind >= 0; }
CALL(timezone) { return timezone == timezone; }
CALL(getenv) { return getenv("PATH") != NULL; }
CALL(secure_getenv) { return secure_getenv("PATH") != NULL; }
CALL(setenv) { return setenv("ISOLATE_X", "1", 1) == 0; }
CALL(unsetenv) { return unsetenv("ISOLATE_X") == 0; }
CALL(putenv) { static char e[] = "ISOLATE_X=1"; return putenv(e) == 0; }
CALL(setlocale) { return setlocale(LC_ALL, "C") != NULL; }
CALL(localeconv) { return localeconv() != NULL; }
CALL(nl_langinfo) { return nl_langinfo(CODESET) != NULL; }
CALL(newlocale) { locale_t l = newlocale(LC_ALL_MASK, "C", (locale_t)0); return l != (locale_t)0; }
CALL(freelocale) { freelocale(newlocale(LC_ALL_MASK, "C", (locale_t)0)); return 1; }
CALL(uselocale) { return uselocale((locale_t)0) != (locale_t)0; }
CALL(duplocale) { return duplocale(LC_GLOBAL_LOCALE) != (locale_t)0; }
CALL(strtod_l) { return near_(strtod_l("4.5", NULL, newlocale(LC_ALL_MASK, "C", (locale_t)0)), 4.5); }
CALL(iconv_open) { iconv_t c = iconv_open("UTF-8", "LATIN1"); return c != (iconv_t)-1; }
CALL(iconv) { iconv_t c = iconv_open("UTF-8", "LATIN1"); char a[] = "a", b[4], *from = a, *to = b; size_t n = 1, m = 4; return iconv(c, &from, &n, &to, &m) == 0; }
CALL(bindtextdomain) { return bindtextdomain("x", "/tmp") != NULL; }
CALL(gettext) { extern char *gettext(const char *); return !strcmp(gettext("x"), "x"); }
CALL(dgettext) { extern char *dgettext(const char *, const char *); return !strcmp(dgettext("d", "x"), "x"); }
CALL(dcgettext) { extern char *dcgettext(const char *, const char *, int); return !strcmp(dcgettext("d", "x", LC_MESSAGES), "x"); }
CALL(getopt) { char *a[] = {"x", "-a", NULL}; return getopt(2, a, "a") == 'a'; }
CALL(regcomp) { regex_t r; int n = regcomp(&r, "a*b", 0); regfree(&r); return n == 0; }
CALL(regexec) { regex_t r; regcomp(&r, "a*b", 0); int n = regexec(&r, "aab", 0, NULL, 0); regfree(&r); return n == 0; }
CALL(regfree) { regex_t r; regcomp(&r, "a*b", 0); regfree(&r); return 1; }
CALL(regerror) { char b[64]; return regerror(REG_NOMATCH, NULL, b, 64) > 0; }
CALL(glob) { glob_t g; int r = glob("/dev/nul*", 0, NULL, &g); globfree(&g); return r == 0; }

/* The process. */
CALL(getpid) { return getpid() > 0; }
CALL(getppid) { return getppid() >= 0; }
CALL(gettid) { return gettid() > 0; }
CALL(getuid) { getuid(); return 1; }
CALL(geteuid) { geteuid(); return 1; }
CALL(getgid) { getgid(); return 1; }
CALL(getegid) { getegid(); return 1; }
CALL(getpgrp) { return getpgrp() >= 0; }
CALL(getsid) { return getsid(0) >= 0; }
CALL(getpwuid) { getpwuid(0); return 1; }
CALL(getpwuid_r) { struct passwd p, *r; char b[999]; return getpwuid_r(0, &p, b, 999, &r) == 0; }
CALL(getpwnam) { getpwnam("root"); return 1; }
CALL(getlogin) { getlogin(); return 1; }
CALL(uname) { struct utsname u; return uname(&u) == 0; }
CALL(gethostname) { char b[256]; return gethostname(b, 256) == 0; }
CALL(getpagesize) { return getpagesize() == 4096; }
CALL(sysconf) { return sysconf(_SC_NPROCESSORS_ONLN) > 0; }
CALL(pathconf) { return pathconf("/", _PC_NAME_MAX) > 0; }
CALL(getauxval) { return getauxval(AT_PAGESZ) == 4096; }
CALL(__getauxval) { extern unsigned long __getauxval(unsigned long); return __getauxval(AT_PAGESZ) == 4096; }
CALL(getrlimit) { struct rlimit r; return getrlimit(RLIMIT_NOFILE, &r) == 0; }
CALL(getrusage) { struct rusage r; return getrusage(RUSAGE_SELF, &r) == 0; }
CALL(setrlimit) { struct rlimit r; getrlimit(RLIMIT_NOFILE, &r); return setrlimit(RLIMIT_NOFILE, &r) == 0; }
CALL(getpriority) { errno = 0; getpriority(PRIO_PROCESS, 0); return errno == 0; }
CALL(syscall) { return syscall(SYS_getpid) == getpid(); }
CALL(getrandom) { char b[4]; return getrandom(b, 4, 0) == 4; }
CALL(getentropy) { char b[4]; return getentropy(b, 4) == 0; }
CALL(arc4random) { extern uint32_t arc4random(void); arc4random(); return 1; }
CALL(arc4random_buf) { extern void arc4random_buf(void *, size_t); char b[4]; arc4random_buf(b, 4); return 1; }
CALL(__errno_location) { errno = ENOENT; return *__errno_location() == ENOENT; }
CALL(sched_getcpu) { return sched_getcpu() >= 0; }
CALL(sched_getaffinity) { cpu_set_t s; return sched_getaffinity(0, sizeof s, &s) == 0; }
CALL(sched_setaffinity) { cpu_set_t s; return sched_getaffinity(0, sizeof s, &s) == 0 && sched_setaffinity(0, sizeof s, &s) == 0; }
CALL(prctl) { extern int prctl(int, ...); return prctl(3 /* PR_GET_DUMPABLE */, 0, 0, 0, 0) >= 0; }
CALL(getpgid) { return getpgid(0) == getpgrp(); } // 0, where its leader is of another namespace
CALL(execve) { char *none[] = {NULL}; return execve("/nowhere/at/all", none, none) == -1 && errno == ENOENT; }
CALL(get_nprocs) { extern int get_nprocs(void); return get_nprocs() > 0; }
CALL(abort) { abort(); return 0; }
CALL(__assert_fail) { __assert_fail("x", "y", 1, "z"); return 0; }
CALL(__stack_chk_fail) { extern void __stack_chk_fail(void); __stack_chk_fail(); return 0; }
CALL(__chk_fail) { extern void __chk_fail(void); __chk_fail(); return 0; }
CALL(__fortify_fail) { extern void *__memcpy_chk(void *, const void *, size_t, size_t); char b[4]; __memcpy_chk(b, text(), 8, 4); return 0; }
CALL(exit) { exit(3); return 0; }
CALL(_exit) { _exit(3); return 0; }
CALL(_Exit) { _Exit(3); return 0; }
CALL(quick_exit) { quick_exit(3); return 0; }
static void nothing(void) { }
CALL(atexit) { return atexit(nothing) == 0; }
CALL(__cxa_atexit) { extern int __cxa_atexit(void (*)(void *), void *, void *); return __cxa_atexit((void (*)(void *))nothing, NULL, NULL) == 0; }
CALL(__cxa_thread_atexit_impl) { extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *); return __cxa_thread_atexit_impl((void (*)(void *))nothing, NULL, (void *)nothing) == 0; }
CALL(at_quick_exit) { return at_quick_exit(nothing) == 0; }
CALL(fork) { fork(); return 0; }
CALL(vfork) { extern pid_t vfork(void); vfork(); return 0; }
CALL(system) { return system("true") == 0; }
CALL(posix_spawn) { extern int posix_spawn(pid_t *, const char *, const void *, const void *, char **, char **); char *a[] = {"true", NULL}; pid_t p; return posix_spawn(&p, "/bin/true", NULL, NULL, a, a + 1) == 0; }
CALL(waitpid) { return waitpid(getpid(), NULL, WNOHANG) == -1 && errno == ECHILD; }
CALL(kill) { return kill(getpid(), 0) == 0; }
CALL(raise) { raise(SIGABRT); return 0; }
CALL(signal) { return signal(SIGUSR2, SIG_IGN) == SIG_ERR; }
CALL(sigaction) { struct sigaction a; return sigaction(SIGUSR2, NULL, &a) == 0; }
CALL(bsd_signal) { extern sighandler_t bsd_signal(int, sighandler_t); return bsd_signal(SIGUSR2, SIG_IGN) == SIG_ERR; }
CALL(ssignal) { return ssignal(SIGUSR2, SIG_IGN) == SIG_ERR; }
CALL(sysv_signal) { return sysv_signal(SIGUSR2, SIG_IGN) == SIG_ERR; }
CALL(__sysv_signal) { extern sighandler_t __sysv_signal(int, sighandler_t); return __sysv_signal(SIGUSR2, SIG_IGN) == SIG_ERR; }
CALL(sigset) { return sigset(SIGUSR2, SIG_IGN) == SIG_ERR; }
CALL(sigignore) { return sigignore(SIGUSR2) == -1 && errno == EPERM; }
CALL(siginterrupt) { return siginterrupt(SIGUSR2, 1) == -1 && errno == EPERM; }
CALL(sighold) { return sighold(SIGUSR2) == -1 && errno == EPERM; }
CALL(sigrelse) { return sigrelse(SIGUSR2) == -1 && errno == EPERM; }
CALL(sigblock) { return sigblock(-1) == sigblock(0); }
CALL(sigsetmask) { int now = sigblock(0); return sigsetmask(-1) == now && sigblock(0) == now; }
CALL(sigaltstack) { stack_t now, off = {.ss_flags = SS_DISABLE}; return sigaltstack(NULL, &now) == 0 && sigaltstack(&off, NULL) == -1; }
CALL(ppoll) { struct timespec t = {0}; sigset_t s; sigfillset(&s); return ppoll(NULL, 0, &t, &s) == 0; }
CALL(__ppoll_chk) { extern int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t); struct timespec t = {0}; return __ppoll_chk(NULL, 0, &t, NULL, 0) == 0; }
CALL(pselect) { struct timespec t = {0}; sigset_t s; sigfillset(&s); return pselect(0, NULL, NULL, NULL, &t, &s) == 0; }
CALL(epoll_pwait) { struct epoll_event e; sigset_t s; sigfillset(&s); return epoll_pwait(-1, &e, 1, 0, &s) == -1 && errno == EBADF; }
CALL(epoll_pwait2) { struct epoll_event e; struct timespec t = {0}; sigset_t s; sigfillset(&s); return epoll_pwait2(-1, &e, 1, &t, &s) == -1 && errno == EBADF; }
CALL(sigemptyset) { sigset_t s; return sigemptyset(&s) == 0; }
CALL(sigfillset) { sigset_t s; return sigfillset(&s) == 0; }
CALL(sigaddset) { sigset_t s; sigemptyset(&s); return sigaddset(&s, SIGUSR2) == 0; }
CALL(sigdelset) { sigset_t s; sigfillset(&s); return sigdelset(&s, SIGUSR2) == 0; }
CALL(sigismember) { sigset_t s; sigfillset(&s); return sigismember(&s, SIGUSR2) == 1; }
CALL(sigprocmask) { sigset_t s; return sigprocmask(SIG_BLOCK, NULL, &s) == 0; }
CALL(setjmp) { jmp_buf b; volatile int n = 0; if (!setjmp(b)) { n = 1; longjmp(b, 1); } return n; }
CALL(_setjmp) { jmp_buf b; volatile int n = 0; if (!_setjmp(b)) { n = 1; _longjmp(b, 1); } return n; }
CALL(__sigsetjmp) { sigjmp_buf b; volatile int n = 0; if (!sigsetjmp(b, 0)) { n = 1; siglongjmp(b, 1); } return n; }
CALL(longjmp) { return call_setjmp(); }
CALL(_longjmp) { return call__setjmp(); }
CALL(__longjmp_chk) { extern void __longjmp_chk(struct __jmp_buf_tag *, int); jmp_buf b; volatile int n = 0; if (!_setjmp(b)) { n = 1; __longjmp_chk(b, 1); } return n; }
CALL(dlopen) { return dlopen("libm.so.6", RTLD_NOW) != NULL; }
CALL(dlsym) { return dlsym(RTLD_DEFAULT, "strlen") != NULL; }
CALL(dlerror) { dlerror(); return 1; }
CALL(dlclose) { return dlclose(dlopen("libm.so.6", RTLD_NOW)) == 0; }
CALL(dladdr) { Dl_info i; return dladdr((void *)text, &i) != 0; }
static int object(struct dl_phdr_info *i, size_t n, void *d) { (void)i; (void)n; ++*(int *)d; return 0; }
CALL(dl_iterate_phdr) { int n = 0; dl_iterate_phdr(object, &n); return n > 0; }
static _Thread_local int local = 7;
CALL(__tls_get_addr) { return *(volatile int *)&local == 7; }

/* Threads. */
static void *thread(void *a) { return a; }
CALL(pthread_create) { pthread_t t; return pthread_create(&t, NULL, thread, NULL) == 0; }
CALL(pthread_exit) { pthread_exit(NULL); return 0; }
CALL(pthread_self) { return pthread_self() != 0; }
CALL(pthread_equal) { return pthread_equal(pthread_self(), pthread_self()); }
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
CALL(pthread_mutex_init) { pthread_mutex_t m; return pthread_mutex_init(&m, NULL) == 0; }
CALL(pthread_mutex_destroy) { pthread_mutex_t m; pthread_mutex_init(&m, NULL); return pthread_mutex_destroy(&m) == 0; }
CALL(pthread_mutex_lock) { return pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0 && !pthread_mutex_lock(&recursive) && !pthread_mutex_lock(&recursive) && !pthread_mutex_unlock(&recursive) && !pthread_mutex_unlock(&recursive); }
CALL(pthread_mutex_trylock) { return pthread_mutex_trylock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0; }
CALL(pthread_mutex_unlock) { return call_pthread_mutex_trylock(); }
CALL(pthread_mutexattr_init) { pthread_mutexattr_t a; return pthread_mutexattr_init(&a) == 0; }
CALL(pthread_mutexattr_settype) { pthread_mutexattr_t a; pthread_mutexattr_init(&a); return pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE) == 0; }
CALL(pthread_mutexattr_destroy) { pthread_mutexattr_t a; pthread_mutexattr_init(&a); return pthread_mutexattr_destroy(&a) == 0; }
CALL(pthread_rwlock_rdlock) { pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER; return pthread_rwlock_rdlock(&l) == 0 && pthread_rwlock_unlock(&l) == 0; }
CALL(pthread_rwlock_wrlock) { pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER; return pthread_rwlock_wrlock(&l) == 0 && pthread_rwlock_unlock(&l) == 0; }
CALL(pthread_rwlock_unlock) { return call_pthread_rwlock_wrlock(); }
CALL(pthread_rwlock_init) { pthread_rwlock_t l; return pthread_rwlock_init(&l, NULL) == 0; }
CALL(pthread_rwlock_destroy) { pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER; return pthread_rwlock_destroy(&l) == 0; }
CALL(pthread_cond_init) { pthread_cond_t c; return pthread_cond_init(&c, NULL) == 0; }
CALL(pthread_cond_signal) { pthread_cond_t c = PTHREAD_COND_INITIALIZER; return pthread_cond_signal(&c) == 0; }
CALL(pthread_cond_broadcast) { pthread_cond_t c = PTHREAD_COND_INITIALIZER; return pthread_cond_broadcast(&c) == 0; }
CALL(pthread_cond_destroy) { pthread_cond_t c = PTHREAD_COND_INITIALIZER; return pthread_cond_destroy(&c) == 0; }
CALL(pthread_cond_timedwait) { pthread_cond_t c = PTHREAD_COND_INITIALIZER; struct timespec t = {1, 0}; pthread_mutex_lock(&mutex); int r = pthread_cond_timedwait(&c, &mutex, &t); pthread_mutex_unlock(&mutex); return r == ETIMEDOUT; }
CALL(pthread_cond_wait) { pthread_cond_t c = PTHREAD_COND_INITIALIZER; pthread_mutex_t m = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP; return pthread_cond_wait(&c, &m) == EPERM; }
CALL(pthread_condattr_init) { pthread_condattr_t a; return pthread_condattr_init(&a) == 0; }
CALL(pthread_condattr_setclock) { pthread_condattr_t a; pthread_condattr_init(&a); return pthread_condattr_setclock(&a, CLOCK_MONOTONIC) == 0; }
CALL(pthread_condattr_destroy) { pthread_condattr_t a; pthread_condattr_init(&a); return pthread_condattr_destroy(&a) == 0; }
CALL(pthread_join) { return pthread_join(pthread_self(), NULL) == EDEADLK; }
CALL(pthread_detach) { return pthread_detach(pthread_self()) == EINVAL; }
CALL(pthread_spin_lock) { pthread_spinlock_t l; pthread_spin_init(&l, 0); return pthread_spin_lock(&l) == 0; }
static pthread_once_t once = PTHREAD_ONCE_INIT;
CALL(pthread_once) { return pthread_once(&once, nothing) == 0; }
CALL(pthread_key_create) { pthread_key_t k, l; int r = pthread_key_create(&k, NULL) == 0 && pthread_key_create(&l, free) == 0 && k != l; pthread_key_delete(k); pthread_key_delete(l); return r; }
CALL(pthread_key_delete) { pthread_key_t k; return pthread_key_create(&k, NULL) == 0 && pthread_key_delete(k) == 0 && pthread_key_delete(k) == EINVAL; }
CALL(pthread_getspecific) { pthread_key_t k; pthread_key_create(&k, NULL); int r = pthread_getspecific(k) == NULL && pthread_setspecific(k, &k) == 0 && pthread_getspecific(k) == &k; pthread_key_delete(k); return r && pthread_getspecific(V(pthread_key_t, 1023)) == NULL; }
CALL(pthread_setspecific) { return pthread_setspecific(V(pthread_key_t, 1023), NULL) == EINVAL && pthread_setspecific(V(pthread_key_t, 1100), NULL) == EINVAL; }
CALL(tss_create) { tss_t k; int r = tss_create(&k, NULL) == thrd_success; tss_delete(k); return r; }
CALL(tss_delete) { tss_t k; tss_create(&k, NULL); tss_delete(k); return tss_set(k, &k) == thrd_error; }
CALL(tss_get) { tss_t k; tss_create(&k, NULL); int r = tss_get(k) == NULL && tss_set(k, &k) == thrd_success && tss_get(k) == &k; tss_delete(k); return r; }
CALL(tss_set) { return tss_set(V(tss_t, 1100), NULL) == thrd_error; }
CALL(pthread_attr_init) { pthread_attr_t a; return pthread_attr_init(&a) == 0; }
CALL(pthread_attr_destroy) { pthread_attr_t a; pthread_attr_init(&a); return pthread_attr_destroy(&a) == 0; }
CALL(pthread_attr_setstacksize) { pthread_attr_t a; pthread_attr_init(&a); return pthread_attr_setstacksize(&a, 1 << 20) == 0; }
CALL(pthread_attr_setdetachstate) { pthread_attr_t a; pthread_attr_init(&a); return pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED) == 0; }
CALL(pthread_sigmask) { sigset_t s; return pthread_sigmask(SIG_BLOCK, NULL, &s) == 0; }
CALL(sigpending) { sigset_t s; return sigpending(&s) == 0; }
/* One that waits would wait for ever: no signal is blocked here. */
CALL(sigwait) { int n; return sigwait((sigset_t *)8, &n) == EFAULT; }
CALL(pthread_atfork) { extern int pthread_atfork(void (*)(void), void (*)(void), void (*)(void)); return pthread_atfork(NULL, NULL, NULL) == 0; }
CALL(sem_init) { sem_t s; return sem_init(&s, 0, 1) == 0; }
CALL(sem_wait) { sem_t s; sem_init(&s, 0, 1); return sem_wait(&s) == 0; }
CALL(sem_post) { sem_t s; sem_init(&s, 0, 1); return sem_post(&s) == 0; }
CALL(sem_destroy) { sem_t s; sem_init(&s, 0, 1); return sem_destroy(&s) == 0; }

/* The network. */
CALL(socket) { int s = socket(AF_UNIX, SOCK_STREAM, 0); close(s); return s >= 0; }
CALL(socketpair) { int s[2]; int r = socketpair(AF_UNIX, SOCK_STREAM, 0, s); close(s[0]); close(s[1]); return r == 0; }
CALL(send) { int s[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, s); int r = send(s[0], "a", 1, 0); close(s[0]); close(s[1]); return r == 1; }
CALL(recv) { int s[2]; char b; socketpair(AF_UNIX, SOCK_STREAM, 0, s); send(s[0], "a", 1, 0); int r = recv(s[1], &b, 1, 0); close(s[0]); close(s[1]); return r == 1; }
CALL(connect) { int s = socket(AF_UNIX, SOCK_STREAM, 0); struct sockaddr a = {AF_UNIX, "/no"}; int r = connect(s, &a, sizeof a); close(s); return r == -1; }
CALL(setsockopt) { int s = socket(AF_UNIX, SOCK_STREAM, 0), one = 1; int r = setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); close(s); return r == 0; }
CALL(getsockopt) { int s = socket(AF_UNIX, SOCK_STREAM, 0), e; socklen_t n = sizeof e; int r = getsockopt(s, SOL_SOCKET, SO_ERROR, &e, &n); close(s); return r == 0; }
CALL(shutdown) { int s[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, s); int r = shutdown(s[0], SHUT_RDWR); close(s[0]); close(s[1]); return r == 0; }
CALL(htons) { return htons(V(uint16_t, 1)) == 256; }
CALL(htonl) { return htonl(V(uint32_t, 1)) == 1 << 24; }
CALL(ntohs) { return ntohs(V(uint16_t, 1)) == 256; }
CALL(ntohl) { return ntohl(V(uint32_t, 1)) == 1 << 24; }
CALL(inet_pton) { struct in_addr a; return inet_pton(AF_INET, "127.0.0.1", &a) == 1; }
CALL(inet_ntop) { struct in_addr a = {0}; char b[32]; return inet_ntop(AF_INET, &a, b, 32) == b; }
CALL(inet_ntoa) { struct in_addr a = {0}; return inet_ntoa(a) != NULL; }
CALL(getaddrinfo) { struct addrinfo *r; struct addrinfo h = {.ai_flags = AI_NUMERICHOST}; return getaddrinfo("127.0.0.1", "80", &h, &r) == 0; }
CALL(freeaddrinfo) { struct addrinfo *r; struct addrinfo h = {.ai_flags = AI_NUMERICHOST}; if (getaddrinfo("127.0.0.1", "80", &h, &r)) return 0; freeaddrinfo(r); return 1; }
CALL(getnameinfo) { struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80)}; char h[64], s[64]; return getnameinfo((struct sockaddr *)&a, sizeof a, h, 64, s, 64, NI_NUMERICHOST | NI_NUMERICSERV) == 0 && !strcmp(h, "0.0.0.0"); }
CALL(gai_strerror) { return gai_strerror(EAI_NONAME) != NULL; }
