/* Start Mattecam by the Python beside this program: with a console, or with -DWINDOW without one.
 *
 * Scripts\mattecam.exe is the command; Mattecam.exe in the folder above is for the menu entry. -I: neither variables nor
 * packages of the user's own Python take part.
 */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#define LONGEST 32768 /* characters of a command line of Windows */

#ifdef WINDOW
#define FOLDERS_UP 1
/* A console that nobody sees, not none: the program writes to it, and what it starts opens no other one. */
#define CONSOLE CREATE_NO_WINDOW
#else
#define FOLDERS_UP 2
#define CONSOLE 0
#endif

/* The program in the same console gets the signal as well, and ends by itself. */
static BOOL WINAPI leave_to_program(DWORD event) {
    (void)event;
    return TRUE;
}

/* Return what follows the name of the program in a command line. */
static const wchar_t *arguments_of(const wchar_t *line) {
    wchar_t end = L' ';
    if (*line == L'"') {
        end = L'"';
        line++;
    }
    while (*line && *line != end)
        line++;
    if (*line == L'"')
        line++;
    return line;
}

static int failed(const wchar_t *home) {
    wchar_t text[LONGEST];
    _snwprintf(text, LONGEST, L"Mattecam cannot start %ls\\python.exe (error %lu); install it again.", home,
               GetLastError());
    text[LONGEST - 1] = 0;
#ifdef WINDOW
    MessageBoxW(NULL, text, L"Mattecam", MB_ICONERROR);
#else
    fwprintf(stderr, L"%ls\n", text);
#endif
    return 1;
}

int wmain(void) {
    static wchar_t home[LONGEST], line[LONGEST];
    GetModuleFileNameW(NULL, home, LONGEST);
    for (int i = 0; i < FOLDERS_UP; i++) {
        wchar_t *last = wcsrchr(home, L'\\');
        if (last)
            *last = 0;
    }
    _snwprintf(line, LONGEST, L"\"%ls\\python.exe\" -I -m mattecam%ls", home, arguments_of(GetCommandLineW()));
    line[LONGEST - 1] = 0;

    STARTUPINFOW start;
    PROCESS_INFORMATION program;
    GetStartupInfoW(&start);
    SetConsoleCtrlHandler(leave_to_program, TRUE);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED | CONSOLE, NULL, NULL, &start, &program))
        return failed(home);
    /* The program ends with this process, which others see, but not what it starts itself. */
    HANDLE job = CreateJobObjectW(NULL, NULL);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    AssignProcessToJobObject(job, program.hProcess);
    ResumeThread(program.hThread);
    WaitForSingleObject(program.hProcess, INFINITE);
    DWORD code = 1;
    GetExitCodeProcess(program.hProcess, &code);
    return (int)code;
}

#ifdef WINDOW
int WINAPI wWinMain(HINSTANCE instance, HINSTANCE previous, wchar_t *arguments, int shown) {
    (void)instance, (void)previous, (void)arguments, (void)shown;
    return wmain();
}
#endif
