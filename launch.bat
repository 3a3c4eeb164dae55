@echo off
rem Starts SVD Studio; the first start makes .venv and installs what fits this machine, later ones need no internet.
rem   launch.bat                        the studio, in the browser
rem   launch.bat animate picture.jpg    any verb of the command line (launch.bat --help lists them)
rem   launch.bat test [--all] [...]     every check; further arguments go to pytest
rem To begin afresh, delete the folder .venv.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul

set "UV_VERSION=0.13.8"
set "ROOT=%~dp0"
set "VENV_PYTHON=%ROOT%.venv\Scripts\python.exe"
set "UV_HOME=%LOCALAPPDATA%\svd-studio\uv-%UV_VERSION%"
set "INSTALL=%ROOT%tools\install.py"

set "PYTHONHOME="
set "PYTHONPATH=%ROOT%"
set "PYTHONUTF8=1"
set "HF_HUB_DISABLE_TELEMETRY=1"
set "GRADIO_ANALYTICS_ENABLED=False"
rem Waiting OpenMP threads that spin make a busy machine some fifteen times slower.
if not defined OMP_WAIT_POLICY set "OMP_WAIT_POLICY=PASSIVE"

set "WITH_TESTS="
if "%~1"=="test" set "WITH_TESTS=--tests"

"%VENV_PYTHON%" -I -S "%INSTALL%" --check %WITH_TESTS% >nul 2>nul
if "%ERRORLEVEL%"=="0" goto start

set "PYTHON="
set "FAULT="
call :find_python
if not defined PYTHON call :fetch_python
if not defined PYTHON goto explain
"%PYTHON%" -I -X utf8 "%INSTALL%" %WITH_TESTS% 1>&2
if not "%ERRORLEVEL%"=="0" goto failed

:start
if defined WITH_TESTS goto test
"%VENV_PYTHON%" -P -m svd_studio %*
if not "%ERRORLEVEL%"=="0" goto failed
exit /b 0

:test
"%VENV_PYTHON%" "%ROOT%tools\check.py" %*
if not "%ERRORLEVEL%"=="0" goto failed
exit /b 0

rem Sets PYTHON to the first one that fits, in our order of liking, else FAULT to what is wrong with one.
:find_python
for %%V in (3.13 3.12 3.11 3.14) do call :try py -%%V
for %%N in (python3.13 python3.12 python3.11 python3.14 python3 python) do call :try %%N
exit /b 0

:try
if defined PYTHON exit /b 0
for /f "usebackq delims=" %%L in (`%* -I -X utf8 "%ROOT%tools\fits.py" 2^>nul`) do call :heard "%%L"
exit /b 0

rem fits.py prints a path when it is content, else a sentence that begins with Python.
:heard
if exist "%~1" (set "PYTHON=%~1") else (set "FAULT=%~1")
exit /b 0

:fetch_python
echo No fitting Python is installed: fetching Python 3.12 with uv %UV_VERSION%. 1>&2
set "PATH=%UV_HOME%\bin;%PATH%"
call :find_uv
if not defined UV call :fetch_uv
if not defined UV call :find_uv
if not defined UV exit /b 1
set "UV_PYTHON_INSTALL_BIN=0"
set "UV_PYTHON_INSTALL_REGISTRY=0"
uv python install 3.12 1>&2
for /f "usebackq delims=" %%L in (`uv python find --managed-python 3.12`) do set "PYTHON=%%L"
exit /b 0

:find_uv
for %%U in (uv.exe) do set "UV=%%~$PATH:U"
exit /b 0

:fetch_uv
for %%N in (py python3 python) do call :pip_uv %%N
if exist "%UV_HOME%\bin\uv.exe" exit /b 0
set "UV_UNMANAGED_INSTALL=%UV_HOME%\bin"
powershell -NoProfile -ExecutionPolicy Bypass -Command "[Net.ServicePointManager]::SecurityProtocol = 'Tls12'; irm https://astral.sh/uv/%UV_VERSION%/install.ps1 | iex" 1>&2
exit /b 0

:pip_uv
if exist "%UV_HOME%\bin\uv.exe" exit /b 0
%1 -I -m pip install --quiet --retries 1 --timeout 10 --target "%UV_HOME%" uv==%UV_VERSION% >nul 2>nul
exit /b 0

:explain
if not defined FAULT set "FAULT=No Python was found, but 3.11, 3.12, 3.13 or 3.14 is needed."
echo %FAULT% 1>&2
echo Fetching one did not work either, so install Python 3.12 (64-bit) from python.org/downloads and start launch.bat again. 1>&2
call :set_code 1

rem A double click runs cmd /c "...launch.bat": keep its window open, so that the reason can be read.
:failed
set "CODE=%ERRORLEVEL%"
if defined CI exit /b %CODE%
set "STARTED_BY=%CMDCMDLINE:"=%"
if not "%STARTED_BY:launch.bat=%"=="%STARTED_BY%" pause
exit /b %CODE%

:set_code
exit /b %1
